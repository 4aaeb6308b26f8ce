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

    def __post_init__(self) -> None:
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
        count = max(1, round(self.ratio * frames)) if self.ratio > 0 else 0
        if self.span_frames[1] > 1:
            return self._draw_spans(generators, frames, count)
        shape = (len(generators), count)
        chosen, replacement, kind = np.empty(shape, np.int64), np.empty(shape, np.int64), np.empty(shape)
        for row, generator in enumerate(generators):
            chosen[row] = generator.permutation(frames)[:count]
            generator.random(out=kind[row])
            replacement[row] = generator.integers(frames, size=count)
        zero, random = self.zero_share, self.zero_share + self.random_share
        replacement = np.where(kind < zero, -1, np.where(kind < random, replacement, chosen))
        masked, source = _nothing(len(generators), frames)
        np.put_along_axis(masked, chosen, True, axis=1)
        np.put_along_axis(source, chosen, replacement, axis=1)
        return Corruption(torch.from_numpy(masked), torch.from_numpy(source))

    def _draw_spans(self, generators: Sequence[np.random.Generator], frames: int, count: int) -> Corruption:
        masked, source = _nothing(len(generators), frames)
        for row, generator in enumerate(generators):
            for chosen, replacement in self._spans(generator, frames, count):
                masked[row, chosen], source[row, chosen] = True, replacement
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


def _nothing(clips: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Masks nothing, and takes every frame from its own place."""
    return np.zeros((clips, frames), dtype=bool), np.tile(np.arange(frames), (clips, 1))
