"""What each query of a ranking scored. R: covers of a query, Q: queries."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

CUT = 10  # of precision at 10 and nDCG at 10


def average_precision(ranks: np.ndarray) -> float:
    """Mean over a query's covers of the precision at each one's rank; ranks from 1, ascending, (R,)."""
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks))


def discounts(cut: int = CUT) -> np.ndarray:
    """What a cover at each rank from 1 to `cut` adds to the cumulative gain: 1 / log2(1 + rank), (cut,)."""
    return 1 / np.log2(np.arange(2, cut + 2))


def ndcg(ranks: np.ndarray, covers: int, cut: int = CUT) -> float:
    """Normalised discounted cumulative gain of a query at a cut, a cover's gain being 1.

    The sum of 1 / log2(1 + rank) over the covers among the first `cut`, divided by what it is with all covers
    first (Jarvelin and Kekalainen 2002, in the form of trec_eval's ndcg_cut).

    Args:
        ranks: of the covers that were found, from 1, (at most `covers`,).
        covers: of the query, found or not, at least 1.
    """
    gains = discounts(cut)
    found = np.asarray(ranks, np.int64)
    return float(gains[found[found <= cut] - 1].sum() / gains[: min(covers, cut)].sum())


@dataclass
class QueryScores:
    """Scores per query; a query's row is its place among `queries`.

    Attributes:
        work_numbers: int, (tracks,): equal for versions of one work.
        queries: indices of the tracks that have a cover, ascending, (Q,).
        relevant: covers of each query, (Q,).
        average_precision, precision_at_10, ndcg_at_10, first_rank: float64, (Q,).
        best_average_precision, worst_average_precision: with ties broken in favour of the covers, and against
            them, (Q,).
        top: index of the track ranked first, (Q,).
    """

    work_numbers: np.ndarray
    queries: np.ndarray
    relevant: np.ndarray
    average_precision: np.ndarray
    best_average_precision: np.ndarray
    worst_average_precision: np.ndarray
    precision_at_10: np.ndarray
    ndcg_at_10: np.ndarray
    first_rank: np.ndarray
    top: np.ndarray

    @classmethod
    def of(cls, works: Sequence[Hashable]) -> QueryScores:
        """Which tracks are queries; their scores are zero until `add` has been called for each."""
        if hasattr(works, "tolist"):
            works = works.tolist()  # the elements of a tensor are equal and hash differently
        numbers: dict[Hashable, int] = {}
        work_numbers = np.array([numbers.setdefault(work, len(numbers)) for work in works], dtype=np.int64)
        versions = np.bincount(work_numbers)[work_numbers] if len(work_numbers) else work_numbers
        queries = np.flatnonzero(versions > 1)
        zeros = [np.zeros(len(queries)) for _ in range(6)] + [np.zeros(len(queries), np.int64)]
        return cls(work_numbers, queries, versions[queries] - 1, *zeros)

    @property
    def tracks(self) -> int:
        """Queries and distractors."""
        return len(self.work_numbers)

    def add(
        self, query: int, ranks: np.ndarray, best_ranks: np.ndarray, worst_ranks: np.ndarray, top: int
    ) -> None:
        """Set the scores of one query from its covers' ranks, each (R,), from 1 and ascending."""
        row = np.searchsorted(self.queries, query)
        self.average_precision[row] = average_precision(ranks)
        self.best_average_precision[row] = average_precision(best_ranks)
        self.worst_average_precision[row] = average_precision(worst_ranks)
        self.precision_at_10[row] = np.count_nonzero(ranks <= CUT) / CUT
        self.ndcg_at_10[row] = ndcg(ranks, len(ranks))
        self.first_rank[row] = ranks[0]
        self.top[row] = top
