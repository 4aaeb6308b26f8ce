"""From the 16 kHz of s3prl's waveforms to the rate that a network was pretrained at."""

from __future__ import annotations

from s3prl.upstream.adapter.full_precision import FullPrecision
from torchaudio.transforms import Resample

SAMPLE_RATE = 16_000  # Hz


class FullPrecisionResample(FullPrecision, Resample):
    """(B, N) at 16 kHz -> (B, ceil(N rate / 16000)); float32 where the network is in half precision, too.

    What the model's authors heard above 8 kHz is not there.
    """

    def __init__(self, rate_hz: int):
        super().__init__(SAMPLE_RATE, rate_hz)
