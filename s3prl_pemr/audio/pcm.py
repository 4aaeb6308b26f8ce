"""16-bit samples, as stores keep them, and floats, as models take them."""

import numpy as np

INT16_FULL_SCALE = 32768  # soundfile's convention: int16 = float * 32768, so 16-bit files pass unchanged
BLOCK_SAMPLES = 1 << 20  # at a time, so that hours of audio take no copies of hours


def to_int16(wav: np.ndarray) -> tuple[np.ndarray, int]:
    """Round to int16; what is above full scale is clipped, as any 16-bit decoder does.

    Args:
        wav: float, (samples,), full scale at 1.

    Returns: int16, (samples,), and the number of samples beyond +-1.
    """
    samples, clipped = np.empty(len(wav), np.int16), 0
    for start in range(0, len(wav), BLOCK_SAMPLES):
        block = wav[start : start + BLOCK_SAMPLES]
        clipped += int(np.count_nonzero(np.abs(block) > 1))
        scaled = np.rint(block * INT16_FULL_SCALE)
        samples[start : start + len(block)] = np.clip(scaled, -INT16_FULL_SCALE, INT16_FULL_SCALE - 1)
    return samples, clipped


def to_float32(samples: np.ndarray) -> np.ndarray:
    """int16 -> float32 in [-1, 1]."""
    return np.multiply(samples, np.float32(1 / INT16_FULL_SCALE), dtype=np.float32)
