"""What the cache keeps of a clip for a task that pools its frames over time. T: frames, D: width."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .cached_upstream import mean_of_own_frames


def mean_and_deviation_of_own_frames(downsample_rate: int) -> Callable[[Tensor, int], Tensor]:
    """The two frames whose mean and biased deviation are those of the frames the Featurizer leaves a clip.

    These are mean + deviation and mean - deviation: the task pools them as it would pool all frames, and is
    the same with and without the cache. Half precision is raised to float32 first.

    Returns: (T, D), samples -> (2, D).
    """

    def pool(layer: Tensor, samples: int) -> Tensor:
        own = layer[: max(1, round(samples / downsample_rate))]
        own = own.to(torch.promote_types(own.dtype, torch.float32))
        mean = own.mean(dim=0, keepdim=True)
        deviation = (own - mean).square().mean(dim=0, keepdim=True).sqrt()
        return torch.cat([mean + deviation, mean - deviation])

    return pool


# By the name that a task's `feature_pooling` has; the mean's is older than this file and counts without it in
# the identity of a cache: what earlier versions kept is still read.
KEPT: dict[str, Callable[[int], Callable[[Tensor, int], Tensor]]] = {
    "mean": mean_of_own_frames,
    "mean_std": mean_and_deviation_of_own_frames,
}
