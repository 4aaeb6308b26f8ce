"""Sizes at which an FFT is fast."""

from functools import lru_cache


@lru_cache(maxsize=64)
def fast_fft_length(minimum_samples: int, multiple: int = 8) -> int:
    """The smallest `multiple` * 2^a * 3^b * 5^c that is not below `minimum_samples`.

    A length with a large prime factor makes an FFT several times slower; clips may have any length.
    """
    length = multiple * max(1, -(-minimum_samples // multiple))
    while not _has_only_small_factors(length // multiple):
        length += multiple
    return length


def _has_only_small_factors(number: int) -> bool:
    for factor in (2, 3, 5):
        while number % factor == 0:
            number //= factor
    return number == 1
