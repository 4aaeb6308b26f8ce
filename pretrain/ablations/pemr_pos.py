"""PEMR with its positive mask alone: "pos. mask" of the paper's Table 6."""

from __future__ import annotations

from s3prl.pretrain.pemr.method import PemrMethod
from torch import Tensor


class PemrPos(PemrMethod):
    """L = L_pred + L_pos: the masked frames are left out of the second view and never seen by themselves."""

    name = "pemr_pos"

    def _negative_projections(self, frames_b: Tensor, negative: Tensor) -> None:
        return None
