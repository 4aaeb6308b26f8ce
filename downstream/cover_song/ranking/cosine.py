"""Ranks by counting instead of sorting indices: the fast version of metric.py: score_queries.

A cover's rank is 1, plus the number of tracks that are more similar to the query, plus those equally similar
that come before it. Bisection in the sorted values gives the first number, and whether there are ties.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from s3prl_pemr.report.progress import Progress

from .query_scores import QueryScores

DECIMALS = 12
Rerank = Callable[[int, np.ndarray], np.ndarray]  # (query, its cosines) -> similarities, (tracks,)


def unit_rows(embeddings: np.ndarray) -> np.ndarray:
    """Each row divided by its length, float64; a row of zeros stays.

    Raises: ValueError for NaN or infinity.
    """
    embeddings = np.asarray(embeddings, np.float64)
    bad = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
    if len(bad):
        raise ValueError(f"{len(bad)} embeddings hold NaN or infinity, the first: row {bad[0]}")
    return embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)


def comparable(similarity: np.ndarray) -> np.ndarray:
    """Rounded to 12 decimals: a matrix product may round one and the same sum in two ways."""
    return np.round(similarity, DECIMALS)


def scores_from_embeddings(
    embeddings: np.ndarray, works: Sequence[Hashable], chunk: int = 512, rerank: Rerank | None = None
) -> QueryScores:
    """Every query's scores; see metric.py: retrieval_metrics_from_embeddings.

    Args:
        embeddings, works, chunk: see there.
        rerank: what else puts a query's tracks in order; its own cosine is -inf, and has to stay so.
    """
    if embeddings.ndim != 2 or len(embeddings) != len(works):
        raise ValueError(f"embeddings of shape {embeddings.shape} for {len(works)} works")
    scores = QueryScores.of(works)
    unit = unit_rows(embeddings)
    versions = _versions(scores.work_numbers)
    bar = Progress(total=len(scores.queries), desc="align", unit="query", disable=rerank is None)
    for start in range(0, len(scores.queries), chunk):
        queries = scores.queries[start : start + chunk]
        similarity = comparable(unit[queries] @ unit.T)
        similarity[np.arange(len(queries)), queries] = -np.inf  # no cosine: behind all others
        for query, row in zip(queries, similarity, strict=True):
            if rerank:
                row = comparable(rerank(int(query), row))
                bar.update()
            members = versions[scores.work_numbers[query]]
            _add(scores, query, row, members[members != query])
    bar.close()
    return scores


def _versions(work_numbers: np.ndarray) -> list[np.ndarray]:
    """The tracks of each work, ascending."""
    order = np.argsort(work_numbers, kind="stable")
    return np.split(order, np.cumsum(np.bincount(work_numbers))[:-1]) if len(order) else []


def _add(scores: QueryScores, query: int, row: np.ndarray, relevant: np.ndarray) -> None:
    """Score one query from its similarities, (tracks,), and the indices of its covers, (R,)."""
    relevant = relevant[np.argsort(-row[relevant], kind="stable")]
    values = row[relevant]  # descending
    ascending = np.sort(row)
    not_above = np.searchsorted(ascending, values, side="right")
    above = len(row) - not_above
    equal = not_above - np.searchsorted(ascending, values, side="left")
    group_start = np.searchsorted(-values, -values, side="left")
    among_covers = np.arange(len(values)) - group_start  # of equally similar covers: the how-manieth
    tied_covers = np.searchsorted(-values, -values, side="right") - group_start
    before = among_covers.copy()  # equally similar tracks with a lower index
    for place in np.flatnonzero(equal > tied_covers):
        before[place] = np.count_nonzero(row[: relevant[place]] == values[place])
    scores.add(
        query,
        ranks=above + before + 1,
        best_ranks=above + among_covers + 1,
        worst_ranks=above + equal - tied_covers + among_covers + 1,
        top=int(row.argmax()),
    )
