"""CQT columns: how many bins they have, how long they last, and zeros behind a short track. T: columns."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

BINS = 84  # seven octaves from C1
EVAL_COLUMNS = 200  # whole tracks of fewer end in zeros: cqt_loader.py of CQTNet
SECONDS = (
    20 * 512 / 22_050
)  # 0.4644: 20 frames of librosa's default hop at its default rate, gencqt.py of CQTNet


def pad_columns(cqt: Tensor, columns: int) -> Tensor:
    """Zeros behind (..., T), as the authors' loader (cqt_loader.py) pads: (..., columns or more)."""
    return F.pad(cqt, (0, max(columns - cqt.shape[-1], 0)))
