"""What no recording is: rates, lengths and sizes that only a damaged header claims."""

RATES = range(1_000, 768_001)  # Hz
# Measured on digital silence: Vorbis 0.018 bits a sample, flac 0.023, Opus 0.038, mp3 0.7.
LEAST_BITS_PER_SAMPLE = 0.01
MOST_HOURS = 12  # of one file: 2.8 GB at 16 kHz


def most_seconds(size_bytes: int, rate: int) -> float:
    """How long a file of this size can be at most, at this rate; 0 where that is no rate."""
    if rate not in RATES:
        return 0.0
    return min(size_bytes * 8 / LEAST_BITS_PER_SAMPLE / rate, MOST_HOURS * 3600)


def implausible_rate(rate: int) -> str | None:
    """Why this is no sampling rate; None if it is one."""
    if rate in RATES:
        return None
    return f"damaged: its header says {rate} Hz; rates of {RATES[0]:,} to {RATES[-1]:,} Hz are read"
