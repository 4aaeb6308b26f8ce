"""What an evaluation knows of the clips it has scored. B: clips, T: tags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ScoredClips:
    """Clips with their targets and scores.

    Attributes:
        tracks: B names.
        targets: (B, T): 0 or 1; of regression numbers.
        scores: (B, T): probabilities; of regression numbers.
    """

    tracks: list[str]
    targets: np.ndarray
    scores: np.ndarray

    @classmethod
    def from_items(cls, tracks: list[str], targets: np.ndarray, scores: np.ndarray) -> ScoredClips:
        """One score a clip: the mean of the scores of its segments, which follow one another.

        Args:
            tracks: the clip of each item.
            targets, scores: (items, T); the targets of a clip's items are the same.
        """
        first = np.flatnonzero([row == 0 or tracks[row] != tracks[row - 1] for row in range(len(tracks))])
        counts = np.diff(np.append(first, len(tracks)))
        means = np.add.reduceat(scores.astype(np.float64), first) / counts[:, None]
        return cls([tracks[row] for row in first], targets[first], means)

    def rows(self, chosen: np.ndarray) -> ScoredClips:
        """Some of the clips, by index."""
        return ScoredClips([self.tracks[row] for row in chosen], self.targets[chosen], self.scores[chosen])

    def __len__(self) -> int:
        return len(self.tracks)
