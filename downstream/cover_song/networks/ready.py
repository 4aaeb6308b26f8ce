"""The cover network that ships: a Ki-Net, trained by recipes/covers on free game music and composed works.

It hears square roots of magnitudes, and what is shorter than CROP_COLUMNS ends in zeros: as it was trained.
B: tracks, T: columns.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from s3prl.downstream.cover_song.cqt.columns import pad_columns
from s3prl.upstream.adapter.weights_file import read_weights
from torch import Tensor, nn

from .kinet import KiNet

WEIGHTS = Path(__file__).resolve().parent.parent / "weights" / "covers.json"
CROP_COLUMNS = 200  # 93 s


class ReadyKiNet(nn.Module):
    """CQT magnitudes -> embedding, with the weights that ship."""

    width = KiNet.width
    min_columns = CROP_COLUMNS

    def __init__(self):
        super().__init__()
        self.network = KiNet()
        self.network.load_state_dict(_shipped())
        self.requires_grad_(False)

    def forward(self, cqt: Tensor) -> Tensor:
        """(B, 1, 84, T), any T -> (B, 128)."""
        return self.network(pad_columns(cqt, CROP_COLUMNS).sqrt())


def card() -> dict[str, Any]:
    """What is known of the weights: data, licence, steps, scores."""
    return json.loads(WEIGHTS.read_text(encoding="utf-8"))["card"]


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Tensor]:
    weights = read_weights(WEIGHTS)["Upstream"]
    return {name.removeprefix("network."): value for name, value in weights.items()}
