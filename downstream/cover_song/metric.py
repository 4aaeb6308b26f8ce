"""Scores of a ranking of tracks: MAP, precision at 10 and the mean rank of the first cover (paper 4.1.2).

Conventions:
    Every track is a query against all others; the query itself is left out by its index.
    works: one per track; tracks of the same work are covers of each other.
    A track without a cover is no query; it stays among what is ranked (a distractor).
    Of similarities that are equal to 12 decimals the track with the lower index comes first; what another
    order could give is reported as `map_optimistic` and `map_pessimistic` where it differs.

Metrics:
    map: mean over queries of the average precision over the whole ranking.
    precision_at_10: covers among the first ten, divided by 10, mean over queries.
    ndcg_at_10: normalised discounted cumulative gain of the first ten, mean over queries.
    mr1: rank of the first cover, counted from 1, arithmetic mean over queries.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from .ranking.cosine import comparable, scores_from_embeddings
from .ranking.query_scores import CUT, QueryScores, ndcg

TIE_TOLERANCE = 1e-12  # of the MAP: below it no tie mattered


def retrieval_metrics(
    similarity: np.ndarray, works: Sequence[Hashable], strict: bool = False
) -> dict[str, Any]:
    """Scores of a similarity matrix: the plain version, which the fast ones are tested against.

    Args:
        similarity: float, (tracks, tracks), a query per row; the diagonal is not looked at.
        works: (tracks,).
        strict: as utility.py: calc_MAP of CQTNet and TPPNet: tracks without a cover are queries too, with 0
            for all scores - also for the rank, which lowers MR1.

    Returns: map, precision_at_10, ndcg_at_10, mr1, queries, works (those with a cover), tracks, distractors;
        and map_optimistic and map_pessimistic where ties make a difference.

    Raises:
        ValueError: shapes that do not fit, a similarity that is no finite number, no query at all.
    """
    return summary(score_queries(np.asarray(similarity, np.float64), works), strict)


def retrieval_metrics_from_embeddings(
    embeddings: np.ndarray, works: Sequence[Hashable], chunk: int = 512, strict: bool = False
) -> dict[str, Any]:
    """`retrieval_metrics` of the embeddings' cosines, `chunk` rows of them in memory at a time.

    Args:
        embeddings: float, (tracks, width), of any length: they are normalised here, and neither centred nor
            whitened.
        works: (tracks,).
        chunk: queries at a time; no influence on the result.
        strict: see `retrieval_metrics`.

    Raises:
        ValueError: as `retrieval_metrics`.
    """
    return summary(scores_from_embeddings(np.asarray(embeddings), works, chunk), strict)


def score_queries(similarity: np.ndarray, works: Sequence[Hashable]) -> QueryScores:
    """Every query's ranking, sorted as a whole. Arguments, errors: see `retrieval_metrics`."""
    tracks = len(works)
    if similarity.shape != (tracks, tracks):
        raise ValueError(f"similarity of shape {similarity.shape} for {tracks} works")
    scores = QueryScores.of(works)
    for query in scores.queries:
        others = np.delete(np.arange(tracks), query)
        row = comparable(similarity[query, others])
        if not np.isfinite(row).all():
            raise ValueError(f"row {query} of the similarities has values that are not finite")
        relevant = scores.work_numbers[others] == scores.work_numbers[query]
        ranking = np.argsort(-row, kind="stable")
        scores.add(
            query,
            ranks=1 + np.flatnonzero(relevant[ranking]),
            # Of equal ones the covers first, or last: lexsort goes by its last key first.
            best_ranks=1 + np.flatnonzero(relevant[np.lexsort((~relevant, -row))]),
            worst_ranks=1 + np.flatnonzero(relevant[np.lexsort((relevant, -row))]),
            top=others[ranking[0]],
        )
    return scores


def ndcg_without_first(similarity: np.ndarray, works: Sequence[Hashable], cut: int = CUT) -> float:
    """The nDCG that mteb gives Covers80A2ARetrieval and SHS100KA2ARetrieval, mean over queries.

    There every query is in the corpus too, under another id, and is no cover of itself. Of each ranking the
    first result is dropped, whatever it is; the others are scored by trec_eval's ndcg_cut, a cover that was
    dropped counting as not found. That is `ndcg_at_10` of the functions above wherever each track is most
    like itself; where another comes first, a cover is lost and the query stays in the ranking.

    Source: mteb 2.26.24, skip_first_result in mteb/_evaluators/retrieval_metrics.py:
    calculate_retrieval_scores. Of equal similarities the lower index comes first here, the greater id there.

    Args:
        similarity: float, (tracks, tracks), a query per row, with the diagonal.
        works: (tracks,).

    Raises:
        ValueError: shapes that do not fit, a similarity that is no finite number, no query at all.
    """
    similarity, scores = np.asarray(similarity, np.float64), QueryScores.of(works)
    if similarity.shape != (scores.tracks, scores.tracks) or not np.isfinite(similarity).all():
        raise ValueError(f"not a finite similarity of {scores.tracks} tracks: shape {similarity.shape}")
    if not len(scores.queries):
        raise ValueError(f"none of {scores.tracks} tracks has another version of its work among them")
    found = []
    for query, covers in zip(scores.queries, scores.relevant, strict=True):
        relevant = scores.work_numbers == scores.work_numbers[query]
        relevant[query] = False
        ranking = np.argsort(-comparable(similarity[query]), kind="stable")[1:]
        found.append(ndcg(1 + np.flatnonzero(relevant[ranking]), int(covers), cut))
    return float(np.mean(found))


def summary(scores: QueryScores, strict: bool = False) -> dict[str, Any]:
    """The means over queries as plain numbers. Raises ValueError where there is no query."""
    queries = len(scores.queries)
    if not queries:
        raise ValueError(
            f"none of {scores.tracks} tracks has another version of its work among them: nothing to score"
        )
    denominator = scores.tracks if strict else queries
    means = {
        "map": scores.average_precision,
        "precision_at_10": scores.precision_at_10,
        "ndcg_at_10": scores.ndcg_at_10,
        "mr1": scores.first_rank,
    }
    bounds = {"map_optimistic": scores.best_average_precision,
              "map_pessimistic": scores.worst_average_precision}  # fmt: skip
    results: dict[str, Any] = {name: float(values.sum() / denominator) for name, values in means.items()}
    bounded = {name: float(values.sum() / denominator) for name, values in bounds.items()}
    if bounded["map_optimistic"] - bounded["map_pessimistic"] > TIE_TOLERANCE:
        results |= bounded
    return results | {
        "queries": denominator,
        "works": int(len(np.unique(scores.work_numbers[scores.queries]))),
        "tracks": scores.tracks,
        "distractors": scores.tracks - queries,
    }
