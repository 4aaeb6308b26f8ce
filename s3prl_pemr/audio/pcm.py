"""16-bit samples, as stores keep them, and floats, as models take them."""

import numpy as np

INT16_FULL_SCALE = 32768  # soundfile's convention: int16 = float * 32768, so 16-bit files pass unchanged


def to_int16(wav: np.ndarray) -> tuple[np.ndarray, int]:
    """Round to int16; what is above full scale is clipped, as any 16-bit decoder does.

    Args:
        wav: float, (samples,), full scale at 1.

    Returns: int16, (samples,), and the number of samples beyond +-1.
    """
    clipped = int(np.count_nonzero(np.abs(wav) > 1))
    scaled = np.rint(wav * INT16_FULL_SCALE)
    return np.clip(scaled, -INT16_FULL_SCALE, INT16_FULL_SCALE - 1).astype(np.int16), clipped


def to_float32(samples: np.ndarray) -> np.ndarray:
    """int16 -> float32 in [-1, 1]."""
    return np.multiply(samples, np.float32(1 / INT16_FULL_SCALE), dtype=np.float32)
