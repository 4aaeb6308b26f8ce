"""What training crops undergo: another speed, masked bins, another key. T: columns.

Source: cqt_loader.py of CQTNet. There the time axis is resized as an 8-bit picture, which leaves magnitudes
below 1 hardly any levels; here it is interpolated in float.
"""

from __future__ import annotations

import numpy as np
import torch
from s3prl.downstream.cover_song.config import AugmentConfig
from torch.nn import functional as F


def change_speed(cqt: np.ndarray, columns: int) -> np.ndarray:
    """Linear interpolation over time: (84, any) -> (84, columns)."""
    resized = F.interpolate(torch.from_numpy(cqt)[None], size=columns, mode="linear", align_corners=False)
    return resized[0].numpy()


def mask_frequencies(
    cqt: np.ndarray, masks: int, mask_bins: int, generator: np.random.Generator
) -> np.ndarray:
    """SpecAugment on frequency alone: `masks` bands of 0 to mask_bins - 1 bins become zero."""
    masked = cqt.copy()
    for _ in range(masks):
        bins = int(generator.integers(mask_bins))
        first = int(generator.integers(len(cqt) - bins))
        masked[first : first + bins] = 0
    return masked


def roll_pitch(cqt: np.ndarray, bins: int) -> np.ndarray:
    """Transposed by `bins`, upwards if positive; what is left empty is zero, not the other end."""
    rolled = np.zeros_like(cqt)
    if bins >= 0:
        rolled[bins:] = cqt[: len(cqt) - bins]
    else:
        rolled[:bins] = cqt[-bins:]
    return rolled


def augment(cqt: np.ndarray, config: AugmentConfig, generator: np.random.Generator) -> np.ndarray:
    """Masks and key; the speed is part of the crop (crops.py)."""
    if config.roll_bins:
        cqt = roll_pitch(cqt, int(generator.integers(-config.roll_bins, config.roll_bins + 1)))
    if config.frequency_masks:
        cqt = mask_frequencies(cqt, config.frequency_masks, config.mask_bins, generator)
    return cqt
