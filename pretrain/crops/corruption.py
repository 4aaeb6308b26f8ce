"""What is done to frames, drawn before they are seen. B: clips, L: frames, D: mel bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


@dataclass
class Corruption:
    """What is done to each frame of a batch, drawn before the frames are seen.

    masked: (B, L) bool, the frames to be predicted.
    source: (B, L) int64, the frame of the same clip that is put there; -1 puts zero, the neutral value.
    """

    masked: Tensor
    source: Tensor

    def to(self, device: torch.device | str) -> Corruption:
        """The same on another device."""
        return Corruption(
            self.masked.to(device, non_blocking=True), self.source.to(device, non_blocking=True)
        )

    def apply(self, frames: Tensor) -> Tensor:
        """Frames (B, L, D) -> corrupted frames (B, L, D)."""
        index = self.source.clamp(min=0)[..., None].expand_as(frames)
        return frames.gather(1, index) * (self.source >= 0)[..., None]


class FrameDraws(Protocol):
    """Settings of what is drawn for the frames of each crop: CorruptionConfig, for one."""

    def draw(self, generators: Sequence[np.random.Generator], frames: int) -> Corruption:
        """One row of `frames` per generator."""
