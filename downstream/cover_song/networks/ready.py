"""What covers are found by: a Ki-Net that ships, and Fourier magnitudes of chroma beside it.

The network (recipes/covers: free game music and composed works) knows renditions; it hears square roots of
magnitudes, and what is shorter than CROP_COLUMNS ends in zeros, as it was trained. Fourier magnitudes know
excerpts and noise. B: tracks, T: columns.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from s3prl.downstream.cover_song.cqt.columns import pad_columns
from s3prl.downstream.cover_song.training_free.fourier import FourierMagnitudes
from s3prl.upstream.adapter.weights_file import read_weights
from torch import Tensor, cat, nn
from torch.nn.functional import normalize

from .kinet import KiNet

WEIGHTS = Path(__file__).resolve().parent.parent / "weights" / "covers.json"
CROP_COLUMNS = 200  # 93 s
FOURIER_WEIGHT = 0.75  # beside the network's 1; chosen as ALIGNMENT_WEIGHT was (training_free/rerank.py)


class ReadyKiNet(nn.Module):
    """CQT magnitudes -> embedding, with the weights that ship."""

    width = KiNet.width

    def __init__(self):
        super().__init__()
        self.network = KiNet()
        self.network.load_state_dict(_shipped())
        self.requires_grad_(False)

    def forward(self, cqt: Tensor) -> Tensor:
        """(B, 1, 84, T), any T -> (B, 128)."""
        return self.network(pad_columns(cqt, CROP_COLUMNS).sqrt())


class Ready(nn.Module):
    """CQT magnitudes -> both embeddings, so that a cosine is a mean of both cosines."""

    width = ReadyKiNet.width + FourierMagnitudes.width

    def __init__(self):
        super().__init__()
        self.network, self.fourier = ReadyKiNet(), FourierMagnitudes()

    def forward(self, cqt: Tensor) -> Tensor:
        """(B, 1, 84, T), any T -> (B, 332)."""
        return cat([normalize(self.network(cqt)), FOURIER_WEIGHT * normalize(self.fourier(cqt))], dim=1)


def card() -> dict[str, Any]:
    """What is known of the weights: data, licence, steps, scores."""
    return json.loads(WEIGHTS.read_text(encoding="utf-8"))["card"]


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Tensor]:
    weights = read_weights(WEIGHTS)["Upstream"]
    return {name.removeprefix("network."): value for name, value in weights.items()}
