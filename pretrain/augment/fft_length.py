"""Sizes at which an FFT is fast."""

from scipy.fft import next_fast_len


def fast_fft_length(minimum_samples: int) -> int:
    """A multiple of 8 (the pitch shift decimates) with small prime factors, not below the minimum."""
    return 8 * next_fast_len(-(-minimum_samples // 8), real=True)
