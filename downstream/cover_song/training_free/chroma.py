"""Chroma that noise, loudness and equalisation change little. T: columns of 0.4644 s."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d

PITCH_CLASSES = 12
VERSION = 2  # of this file's arithmetic, for indexes of covers
# Our choices, on tracks that no score in the documentation is of.
COMPRESSION = 100  # of the magnitudes, which a track's peak makes 1 at most
NEIGHBOURS_BINS = 7  # a bin's own and three semitones to each side
LOWEST_BIN, BINS_END = 12, 72  # C2 to B6: the octaves beside them hold rumble and noise


def tonal_chroma(cqt: np.ndarray) -> np.ndarray:
    """What stands out of its neighbourhood in a logarithmic CQT, folded into an octave.

    log(1 + 100 x / peak), less the mean of the bin and its neighbours, where it is positive: noise and the
    slopes of an equaliser are about the same in neighbouring bins, and go.

    Args:
        cqt: magnitudes, (84, T), of any scale.

    Returns: float32, (12, T), columns of unit length; a silent one is zero.
    """
    compressed = np.log1p(COMPRESSION * cqt / max(float(cqt.max(initial=0)), 1e-9))
    surroundings = uniform_filter1d(compressed, NEIGHBOURS_BINS, axis=0, mode="nearest")
    tones = np.maximum(compressed - surroundings, 0)[LOWEST_BIN:BINS_END]
    return unit_columns(tones.reshape(-1, PITCH_CLASSES, cqt.shape[1]).sum(axis=0)).astype(np.float32)


def unit_columns(columns: np.ndarray) -> np.ndarray:
    """Each column of (any, T) divided by its length; one of zeros stays."""
    return columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-9)
