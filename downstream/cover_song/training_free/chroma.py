"""Chroma that two renditions of a work share: by pitch class, in any octave, loudness, timbre. T: columns."""

from __future__ import annotations

import numpy as np

PITCH_CLASSES = 12


def unit_chroma(cqt: np.ndarray) -> np.ndarray:
    """Square roots of CQT magnitudes, octaves added up, each column of unit length.

    The root weakens the loudest partials, as Fourier magnitudes of power-law chroma do in Bertin-Mahieux and
    Ellis (ISMIR 2012).

    Args:
        cqt: not negative, (octaves x 12, T).

    Returns: float32, (12, T), in [0, 1]; a silent column stays zero.
    """
    folded = np.sqrt(cqt.astype(np.float32)).reshape(-1, PITCH_CLASSES, cqt.shape[1]).sum(axis=0)
    return folded / np.maximum(np.linalg.norm(folded, axis=0), 1e-6)
