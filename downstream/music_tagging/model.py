"""A head on clip vectors. B: clips, L: frames, D: feature dimensions, T: tags."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def time_mean(features: Sequence[Tensor]) -> Tensor:
    """Mean over each clip's own frames: B tensors (L, D), L >= 1, each its own -> (B, D)."""
    return torch.stack([frames.mean(dim=0) for frames in features])


class LinearHead(nn.Linear):
    """Clip vectors (B, D) -> logits (B, T)."""


class MlpHead(nn.Sequential):
    """One hidden layer: clip vectors (B, D) -> logits (B, T)."""

    def __init__(self, input_dim: int, tags: int, hidden_dim: int):
        super().__init__(nn.Linear(input_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, tags))


def make_head(kind: str, input_dim: int, tags: int, hidden_dim: int) -> nn.Module:
    """`kind` is linear or mlp (paper Table 2); `hidden_dim` is for the second one."""
    return MlpHead(input_dim, tags, hidden_dim) if kind == "mlp" else LinearHead(input_dim, tags)
