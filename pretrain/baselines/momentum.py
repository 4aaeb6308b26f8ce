"""The slowly following copy of encoder and head: MoCo's key encoder, BYOL's target network."""

from __future__ import annotations

import copy

import torch
from s3prl.upstream.fcn4.encoder import frozen_running_statistics
from torch import Tensor, nn


@torch.no_grad()
def follow(slow: nn.Module, fast: nn.Module, momentum: float | Tensor) -> None:
    """MoCo, Eq. 2; BYOL, Eq. 1: slow <- momentum * slow + (1 - momentum) * fast, in place.

    Buffers too: a batch norm's weights belong to its running statistics. Counters are copied.
    """
    for old, new in zip(slow.parameters(), fast.parameters(), strict=True):
        old.lerp_(new, 1 - momentum)
    for kept, found in zip(slow.buffers(), fast.buffers(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(found, 1 - momentum)
        else:
            kept.copy_(found)


class MomentumEncoder(nn.Module):
    """A copy of encoder and projection head that no gradient reaches."""

    def __init__(self, encoder: nn.Module, projector: nn.Module):
        super().__init__()
        self.encoder, self.projector = copy.deepcopy(encoder), copy.deepcopy(projector)
        self.requires_grad_(False)

    @torch.no_grad()
    def forward(self, inputs: Tensor) -> Tensor:
        """What the encoder takes of B clips -> (B, P); running statistics move in `follow` alone."""
        with frozen_running_statistics(self):
            return self.projector(self.encoder(inputs).mean(dim=1))

    def follow(self, encoder: nn.Module, projector: nn.Module, momentum: float | Tensor) -> None:
        """As the function `follow`, after the optimiser's step."""
        follow(self.encoder, encoder, momentum)
        follow(self.projector, projector, momentum)
