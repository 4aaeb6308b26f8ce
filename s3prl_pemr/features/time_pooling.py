"""From frames to one vector a waveform. B: waveforms, L: frames, D: feature dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# Added to the variance, whose root has no finite slope at 0: a lone frame, a dimension that stays the same.
VARIANCE_FLOOR = 1e-12


def time_mean(features: Sequence[Tensor]) -> Tensor:
    """Mean over each waveform's own frames: B tensors (L, D), L >= 1, each its own -> (B, D)."""
    return torch.stack([frames.mean(dim=0) for frames in features])


def time_mean_std(features: Sequence[Tensor]) -> Tensor:
    """Mean, then biased standard deviation, over each waveform's own frames: B tensors (L, D) -> (B, 2 D).

    In two passes, so that an offset does not drown the deviation, and of half precision in float32. The
    deviation is sqrt(variance + 1e-12), hence 1e-6 at least: its gradient is finite, and 0 for a lone frame.
    """
    vectors = []
    for frames in features:
        exact = frames.to(torch.promote_types(frames.dtype, torch.float32))
        mean = exact.mean(dim=0)
        deviation = ((exact - mean).square().mean(dim=0) + VARIANCE_FLOOR).sqrt()
        vectors.append(torch.cat([mean, deviation]).to(frames.dtype))
    return torch.stack(vectors)


POOLINGS: dict[str, Callable[[Sequence[Tensor]], Tensor]] = {"mean": time_mean, "mean_std": time_mean_std}


def pooled_width(pooling: str, dimensions: int) -> int:
    """Of the vector that a pooling makes of frames of so many dimensions."""
    return 2 * dimensions if pooling == "mean_std" else dimensions
