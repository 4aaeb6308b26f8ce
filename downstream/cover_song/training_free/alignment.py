"""Two tracks side by side: the longest stretch in which their chroma follow one another, in the best key.

Source: Serra, Serra and Andrzejak, "Cross recurrence quantification for cover song identification" (New J.
Phys. 2009), as librosa.sequence.rqa has it; transposition by the optimal transposition index of Serra, Gomez
and Herrera (2008). Stacked columns recur that are among each other's nearest. T, U: columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import librosa
import numpy as np

from .chroma import PITCH_CLASSES, unit_columns

STACKED_COLUMNS = 5  # compared at a time, 2.3 s
NEAREST = 0.05  # of a column's similarities, those that may recur
TRANSPOSITIONS = 2  # tried: the best by the mean chroma


@dataclass(frozen=True)
class Alignment:
    """How two tracks go together.

    Attributes:
        score: recurring columns of the best path over the root of the shorter track's columns.
        semitones: that the second track is transposed up by to match, 0 to 11.
        path: (columns, 2): places in both tracks; None where it was not asked for.
        similarity: what the path goes through, 0 or 1, (T - 4, U - 4); None likewise.
    """

    score: float
    semitones: int
    path: np.ndarray | None = None
    similarity: np.ndarray | None = None

    @property
    def stretches(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """First column and end of what goes together, in the first track and in the second."""
        (first, other), (last, end) = self.path[0].tolist(), self.path[-1].tolist()
        return (first, last + STACKED_COLUMNS), (other, end + STACKED_COLUMNS)

    @property
    def tempo_ratio(self) -> float:
        """How many columns of the second track pass with one of the first, along the path."""
        (first, other), (last, end) = self.path[0], self.path[-1]
        return float((end - other + 1) / (last - first + 1))


def align(first: np.ndarray, second: np.ndarray, path: bool = False) -> Alignment:
    """The best alignment of two tracks, (12, T) and (12, U) of tonal_chroma.

    Args:
        path: where it runs is wanted too.
    """
    found = [
        _aligned(first, second, semitones, path)
        for semitones in transpositions(first, second)[:TRANSPOSITIONS]
    ]
    return max(found, key=lambda one: one.score)


def transpositions(first: np.ndarray, second: np.ndarray) -> list[int]:
    """All 12 by which the second's mean chroma, rolled up, is like the first's, the best first."""
    profiles = [track.mean(axis=1) - track.mean() for track in (first, second)]
    likeness = [profiles[0] @ np.roll(profiles[1], shift) for shift in range(PITCH_CLASSES)]
    return [int(shift) for shift in np.argsort(likeness, kind="stable")[::-1]]


def _aligned(first: np.ndarray, second: np.ndarray, semitones: int, path: bool) -> Alignment:
    similarity = _stacked(first).T @ _stacked(np.roll(second, semitones, axis=0))
    recurs = mutual_nearest(similarity).astype(np.float32)
    found = librosa.sequence.rqa(recurs, gap_onset=1, gap_extend=1, knight_moves=True, backtrack=path)
    length = float((found[0] if path else found).max())
    score = length / np.sqrt(min(similarity.shape))
    if not path:
        return Alignment(score, semitones)
    places = found[1] if len(found[1]) else np.zeros((1, 2), int)  # nothing recurs
    return Alignment(score, semitones, places, recurs)


def mutual_nearest(similarity: np.ndarray, share: float = NEAREST) -> np.ndarray:
    """Which of (T, U) are above 0 and among the largest `share` of their row and of their column: bool."""
    of_row = np.quantile(similarity, 1 - share, axis=1, keepdims=True)
    of_column = np.quantile(similarity, 1 - share, axis=0, keepdims=True)
    return (similarity > 0) & (similarity >= of_row) & (similarity >= of_column)


def _stacked(chroma: np.ndarray) -> np.ndarray:
    """STACKED_COLUMNS columns as one, of unit length: (60, T - 4); a shorter track ends in zeros."""
    chroma = np.pad(chroma, ((0, 0), (0, max(STACKED_COLUMNS - chroma.shape[1], 0))))
    columns = chroma.shape[1] - STACKED_COLUMNS + 1
    pieces = [chroma[:, at : at + columns] for at in range(STACKED_COLUMNS)]
    return unit_columns(np.concatenate(pieces))
