"""Positive and negative frame masks (paper 3.4). B: clips, H: heads, L: frames, D: width."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def frame_importance(cls_query_a: Tensor, cls_query_b: Tensor, keys_b: Tensor) -> Tensor:
    """Eq. 4: how much both branches' [CLS] attend to each frame of the second branch.

    Args:
        cls_query_a, cls_query_b: last layer's [CLS] queries of the two branches, (B, H, D).
        keys_b: last layer's keys of the second branch's frames ([CLS] left out), (B, H, L, D).

    Returns: (B, L), non-negative, each row sums to H.
    """
    scale = 1 / math.sqrt(keys_b.shape[-1])
    scores = [torch.einsum("bhd,bhld->bhl", query, keys_b) * scale for query in (cls_query_a, cls_query_b)]
    first, second = (score.softmax(dim=-1).sum(dim=1) for score in scores)
    return (first + second) / 2


def masked_frame_count(frames: int, ratio: float) -> int:
    """floor(ratio * frames), with ratio in [0, 1).

    Raises:
        ValueError: ratio outside [0, 1).
    """
    if not 0.0 <= ratio < 1.0:
        raise ValueError(f"mask ratio must be in [0, 1), got {ratio}")
    return math.floor(ratio * frames + 1e-9)  # 0.29 * 100 is 28.999...96 in binary


def positive_negative_masks(scores: Tensor, ratio: float) -> tuple[Tensor, Tensor]:
    """Eq. 5: 0 for the floor(ratio * L) frames of lowest score, 1 for the others; and its complement.

    Args:
        scores: frame importances, (B, L).
        ratio: r of the paper, in [0, 1).

    Returns: positive and negative mask, each (B, L) of 0. and 1.; of equal scores the lower index is
        masked first.

    Raises:
        ValueError: ratio outside [0, 1).
    """
    lowest = scores.argsort(dim=-1, stable=True)[:, : masked_frame_count(scores.shape[-1], ratio)]
    negative = torch.zeros_like(scores).scatter(1, lowest, 1.0)
    return 1.0 - negative, negative
