"""Polarity inversion. B: clips, N: samples."""

from torch import Tensor


def invert_polarity(wavs: Tensor) -> Tensor:
    """Each clip upside down: -x, for (B, N).

    A power spectrogram cannot tell the result from the input; a waveform encoder can.
    """
    return -wavs
