"""Waveforms of a store as upstreams take them."""

from __future__ import annotations

import numpy as np

MIN_SAMPLES = 1_600  # 0.1 s: fbank and mel refuse less than 25 ms, and a frame's deviation is not a number


def shortest_samples(upstream_rate: int) -> int:
    """The fewest samples that every upstream takes and that keep a frame.

    s3prl/upstream/interfaces.py:252 keeps round(samples / upstream_rate) frames of a clip.
    """
    return max(upstream_rate // 2 + 1, MIN_SAMPLES)


def pad_to(wav: np.ndarray, samples: int) -> np.ndarray:
    """Zeros behind a waveform, (any,), that is shorter: (samples or more,)."""
    return wav if len(wav) >= samples else np.pad(wav, (0, samples - len(wav)))
