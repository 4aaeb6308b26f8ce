"""From frames to one vector a waveform. B: waveforms, L: frames, D: feature dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def time_mean(features: Sequence[Tensor]) -> Tensor:
    """Mean over each waveform's own frames: B tensors (L, D), L >= 1, each its own -> (B, D)."""
    return torch.stack([frames.mean(dim=0) for frames in features])
