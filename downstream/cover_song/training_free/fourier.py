"""A track as the two-dimensional Fourier magnitudes of its chroma: the same in every key, at every place.

Source: Bertin-Mahieux and Ellis, "Large-Scale Cover Song Recognition Using the 2D Fourier Transform
Magnitude" (ISMIR 2012). There patches are of 75 beats, and their median is taken; here, without a beat
tracker, of 32 columns (14.9 s) at five speeds, so that another tempo changes little, and their mean.
B: tracks, T: columns, P: PATCH_COLUMNS.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .chroma import PITCH_CLASSES, tonal_chroma, unit_columns

PATCH_COLUMNS, HOP_COLUMNS = 32, 2
SPEEDS = (0.8, 0.9, 1.0, 1 / 0.9, 1 / 0.8)
FREQUENCIES = PATCH_COLUMNS // 2 + 1  # of a real signal; the others are their mirror images
WIDTH = PITCH_CLASSES * FREQUENCIES  # 204
# The mirror images count too: cosines are those of whole transforms.
_COUNTED = np.sqrt(np.where(np.arange(FREQUENCIES) % (FREQUENCIES - 1) == 0, 1, 2))
MEAN = Path(__file__).resolve().parent.parent / "weights" / "ftm2d_mean.npy"  # recipes/covers


def fourier_magnitudes(chroma: np.ndarray) -> np.ndarray:
    """Roots of mean patch magnitudes, added over the speeds: (12, T), unit columns -> float32, (WIDTH,).

    A roll of the pitch classes, another key, changes phases alone; so does a shift of a patch in time.

    Returns: of unit length; zeros for silence.
    """
    total = sum(np.sqrt(mean_magnitudes(at_speed(chroma, speed))) for speed in SPEEDS)
    embedding = (total * _COUNTED).ravel()
    return (embedding / max(np.linalg.norm(embedding), 1e-9)).astype(np.float32)


def mean_magnitudes(chroma: np.ndarray) -> np.ndarray:
    """Mean over all patches of |FFT2|: (12, T) -> (12, FREQUENCIES); what is shorter than P ends in zeros."""
    chroma = np.pad(chroma, ((0, 0), (0, max(PATCH_COLUMNS - chroma.shape[1], 0))))
    patches = np.lib.stride_tricks.sliding_window_view(chroma, PATCH_COLUMNS, axis=1)[:, ::HOP_COLUMNS]
    return np.abs(np.fft.rfft2(patches, axes=(0, 2))).mean(axis=1)


def at_speed(chroma: np.ndarray, speed: float) -> np.ndarray:
    """Interpolated over time, as if played `speed` times as fast: (12, T) -> (12, about T / speed)."""
    columns = chroma.shape[1]
    played = max(round(columns / speed), 1)
    if played == columns:
        return chroma
    place = np.clip((np.arange(played) + 0.5) * columns / played - 0.5, 0, columns - 1)
    before = place.astype(int)
    after = np.minimum(before + 1, columns - 1)
    share = (place - before).astype(chroma.dtype)
    return unit_columns(chroma[:, before] * (1 - share) + chroma[:, after] * share)


class FourierMagnitudes(nn.Module):
    """CQT magnitudes -> embedding, with nothing to learn but the mean over some music, which is taken off.

    Magnitudes are not negative, so all tracks' would point the same way.
    """

    width = WIDTH

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(np.load(MEAN, allow_pickle=False)))

    @torch.no_grad()
    def forward(self, cqt: Tensor) -> Tensor:
        """(B, 1, 84, T) -> (B, WIDTH); columns of silence behind a track are left out."""
        tracks = cqt[:, 0].float().cpu().numpy()
        found = np.stack([fourier_magnitudes(tonal_chroma(_heard(track))) for track in tracks])
        return torch.from_numpy(found).to(self.mean.device) - self.mean


def _heard(cqt: np.ndarray) -> np.ndarray:
    end = np.flatnonzero(cqt.any(axis=0))
    return cqt[:, : end[-1] + 1] if len(end) else cqt[:, :1]
