"""BERT's random corruption of frames (paper 3.3). B: clips, L: frames, D: mel bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from s3prl.pretrain.crops.corruption import Corruption


@dataclass
class CorruptionConfig:
    """Devlin et al. 2019, 3.1: 15 % of the positions; of these 80 % masked, 10 % random, 10 % kept."""

    ratio: float = 0.15
    zero_share: float = 0.8
    random_share: float = 0.1

    def __post_init__(self):
        if not 0.0 <= self.ratio <= 1.0:
            raise ValueError(f"ratio must be in [0, 1], got {self.ratio}")
        if min(self.zero_share, self.random_share) < 0 or self.zero_share + self.random_share > 1.0:
            raise ValueError(
                f"zero_share {self.zero_share} and random_share {self.random_share} must fit in 1"
            )

    def draw(self, generators: Sequence[np.random.Generator], frames: int) -> Corruption:
        """Draw for one clip per generator: exactly round(ratio * frames) masked frames, one at least."""
        masked = np.zeros((len(generators), frames), dtype=bool)
        source = np.tile(np.arange(frames), (len(generators), 1))
        count = max(1, round(self.ratio * frames)) if self.ratio > 0 else 0
        for row, generator in enumerate(generators):
            chosen = generator.permutation(frames)[:count]
            kind = generator.random(count)
            replacement = generator.integers(frames, size=count)
            masked[row, chosen] = True
            source[row, chosen] = np.select(
                [kind < self.zero_share, kind < self.zero_share + self.random_share],
                [np.full(count, -1), replacement],
                default=chosen,
            )
        return Corruption(torch.from_numpy(masked), torch.from_numpy(source))
