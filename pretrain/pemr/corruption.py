"""BERT's random corruption of frames (paper 3.3). B: clips, L: frames, D: mel bins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from s3prl.pretrain.crops.corruption import Corruption


@dataclass
class CorruptionConfig:
    """Devlin et al. 2019, 3.1: 15 % of the positions; of these 80 % masked, 10 % random, 10 % kept.

    span_frames: shortest and longest run of frames that are chosen together; [1, 1], the paper's, chooses
    each by itself, and a line between its neighbours then predicts most of it. Mockingjay (Liu et al. 2020,
    2.2) takes runs of 7.
    """

    ratio: float = 0.15
    zero_share: float = 0.8
    random_share: float = 0.1
    span_frames: list[int] = field(default_factory=lambda: [1, 1])

    def __post_init__(self):
        if not 0.0 <= self.ratio <= 1.0:
            raise ValueError(f"ratio must be in [0, 1], got {self.ratio}")
        if min(self.zero_share, self.random_share) < 0 or self.zero_share + self.random_share > 1.0:
            raise ValueError(
                f"zero_share {self.zero_share} and random_share {self.random_share} must fit in 1"
            )
        if len(self.span_frames) != 2 or not 1 <= self.span_frames[0] <= self.span_frames[1]:
            raise ValueError(
                f"span_frames {list(self.span_frames)} is not [shortest, longest], both at least 1"
            )

    def draw(self, generators: Sequence[np.random.Generator], frames: int) -> Corruption:
        """Draw for one clip per generator: exactly round(ratio * frames) masked frames, one at least."""
        masked = np.zeros((len(generators), frames), dtype=bool)
        source = np.tile(np.arange(frames), (len(generators), 1))
        count = max(1, round(self.ratio * frames)) if self.ratio > 0 else 0
        for row, generator in enumerate(generators):
            if self.span_frames[1] > 1:
                for chosen, replacement in self._spans(generator, frames, count):
                    masked[row, chosen], source[row, chosen] = True, replacement
                continue
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

    def _spans(
        self, generator: np.random.Generator, frames: int, count: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray | int]]:
        """Runs until `count` frames are chosen, and what is put there: -1, another run, or themselves."""
        free = np.ones(frames, dtype=bool)
        shortest, longest = (min(length, frames) for length in self.span_frames)
        while count > 0:
            length = generator.integers(shortest, longest + 1)
            first, other = generator.integers(frames - length + 1, size=2)
            kind = generator.random()
            chosen = first + np.flatnonzero(free[first : first + length])[:count]
            free[chosen] = False
            count -= len(chosen)
            if kind < self.zero_share:
                yield chosen, -1
            else:
                is_random = kind < self.zero_share + self.random_share
                yield chosen, chosen - first + other if is_random else chosen
