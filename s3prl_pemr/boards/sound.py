"""What a board's item sounds like to our models. C: channels, N: samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr

from s3prl_pemr.audio import SAMPLE_RATE


def samples_of(audio: Any) -> np.ndarray:
    """The mean of its channels at 16 kHz, which all upstreams of s3prl's hub hear: float32, (N,).

    Args:
        audio: has `array`, (N,) or (C, N), and `sampling_rate` in Hz, as a dictionary or as the decoder that
            datasets makes of a file: mteb/types/_encoder_io.py: AudioInputItem.

    Raises:
        ValueError: one line: no sample, or one that is no finite number.
    """
    array = np.asarray(audio["array"], np.float32)
    wav = array.mean(axis=0) if array.ndim > 1 else array
    if wav.size == 0 or not np.isfinite(wav).all():
        raise ValueError("an item of the task has no samples, or some that are NaN or infinite")
    return soxr.resample(wav, audio["sampling_rate"], SAMPLE_RATE)
