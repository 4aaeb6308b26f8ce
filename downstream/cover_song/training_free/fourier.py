"""A track as the two-dimensional Fourier magnitudes of its chroma: the same in every key, at every place.

Source: Bertin-Mahieux and Ellis, "Large-Scale Cover Song Recognition Using the 2D Fourier Transform
Magnitude" (ISMIR 2012). There patches are of 75 beats; here, without a beat tracker, of 16 columns of 0.46 s.
B: tracks, T: columns, P: PATCH_COLUMNS.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .chroma import PITCH_CLASSES

PATCH_COLUMNS, HOP_COLUMNS = 16, 2
MEAN = Path(__file__).resolve().parent.parent / "weights" / "ftm2d_mean.npy"  # recipes/covers


def fourier_magnitudes(chroma: Tensor) -> Tensor:
    """Median over patches of |FFT2|, and its root: float32, (..., 12, T >= P) -> (..., 12 x P).

    A roll of the pitch classes, another key, changes phases alone; so does a shift of a patch in time.
    """
    patches = chroma.unfold(-1, PATCH_COLUMNS, HOP_COLUMNS).movedim(-2, -3)  # (..., patches, 12, P)
    return torch.fft.fft2(patches).abs().median(dim=-3).values.sqrt().flatten(-2)


class FourierMagnitudes(nn.Module):
    """CQT magnitudes -> embedding, with nothing to learn but the mean over some music, which is taken off.

    Magnitudes are not negative, so all tracks' would point the same way.
    """

    width = PITCH_CLASSES * PATCH_COLUMNS
    min_columns = PATCH_COLUMNS

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(np.load(MEAN, allow_pickle=False)))

    def forward(self, cqt: Tensor) -> Tensor:
        """(B, 1, 84, T) -> (B, 192); columns of silence behind a track are left out."""
        folded = cqt[:, 0].sqrt().unflatten(1, (-1, PITCH_CLASSES)).sum(dim=1)
        chroma = folded / folded.norm(dim=1, keepdim=True).clamp_min(1e-6)
        return torch.stack([fourier_magnitudes(self._heard(track)) for track in chroma]) - self.mean

    def _heard(self, chroma: Tensor) -> Tensor:
        heard = chroma.any(dim=0).nonzero()
        end = int(heard[-1]) + 1 if len(heard) else 0
        return nn.functional.pad(chroma[:, :end], (0, max(self.min_columns - end, 0)))
