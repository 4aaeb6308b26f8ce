"""The projection head on an encoder's representations, for pretraining alone. B: clips."""

from __future__ import annotations

from torch import nn


class Projector(nn.Sequential):
    """Projection head g: an MLP with one hidden layer, (B, inputs) -> (B, outputs) (paper 3.5)."""

    def __init__(self, inputs: int, hidden: int, outputs: int):
        super().__init__(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))
