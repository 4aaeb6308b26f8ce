"""What masks choose and what a prediction is worth. B: clips, L: frames, D: mel bins."""

from __future__ import annotations

import torch
from torch import Tensor


def ranks(values: Tensor) -> Tensor:
    """Rank of each value in its row, 0 to L - 1, of equal values the first lower: (B, L) float64."""
    order = values.argsort(dim=1, stable=True)
    return (
        torch.zeros_like(order)
        .scatter(1, order, torch.arange(values.shape[1]).to(order).expand_as(order))
        .double()
    )


def place_share(importance: Tensor) -> Tensor:
    """How much of the importances' rank variance a frame's place in the crop explains, 0 to 1.

    Variance over places of the mean rank, divided by the variance of all ranks. 1: every clip has the same
    order of frames, whatever plays. Of B clips with unrelated orders it is 1 / B.

    Args:
        importance: s of Eq. 4, (B, L).
    """
    rank = ranks(importance)
    return rank.mean(dim=0).var(correction=0) / rank.var(correction=0)


def rank_correlation(a: Tensor, b: Tensor) -> Tensor:
    """Spearman's correlation of two rows, mean over the clips: (B, L), (B, L) -> scalar in [-1, 1]."""
    a, b = (rank - rank.mean(dim=1, keepdim=True) for rank in (ranks(a), ranks(b)))
    return ((a * b).sum(dim=1) / (a.norm(dim=1) * b.norm(dim=1))).mean()


def masked_percentile(values: Tensor, masked: Tensor) -> Tensor:
    """Mean percentile, 0 to 1, that masked frames have among their clip's values; 0.5: any frames.

    Args:
        values: of each frame, for instance its energy, (B, L).
        masked: 1 where a frame is masked, (B, L).
    """
    percentile = (ranks(values) + 0.5) / values.shape[1]
    return (percentile * masked).sum() / masked.sum()


def interpolated(frames: Tensor, masked: Tensor) -> Tensor:
    """Frames (B, L, D) with those that are masked, (B, L) bool, put on a line between their neighbours.

    The nearest frames on either side that are not masked; at the ends of a clip the one there is. A clip
    without any is left as it is.
    """
    length = frames.shape[1]
    place = torch.arange(length, device=frames.device).expand(masked.shape)
    before = torch.where(masked, -1, place).cummax(dim=1).values
    behind = torch.where(masked, length, place).flip(1).cummin(dim=1).values.flip(1)
    none = (before < 0) & (behind >= length)
    left = torch.where(before < 0, behind, before).where(~none, place)
    right = torch.where(behind >= length, before, behind).where(~none, place)
    share = ((place - left).to(frames.dtype) / (right - left).clamp(min=1))[..., None]
    at = [index[..., None].expand_as(frames) for index in (left, right)]
    return frames.gather(1, at[0]) * (1 - share) + frames.gather(1, at[1]) * share


def mean_frames(frames: Tensor, masked: Tensor) -> Tensor:
    """In every place the mean of the clip's frames that are not masked: (B, L, D)."""
    kept = (~masked).to(frames.dtype)[..., None]
    return ((frames * kept).sum(dim=1, keepdim=True) / kept.sum(dim=1, keepdim=True).clamp(min=1)).expand_as(
        frames
    )
