"""What a score is to be seen against: the best possible one, a random ranking's, and its interval.

R: covers of a query; N: tracks ranked for it, all but the query itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from s3prl_pemr.report.bootstrap import INTERVAL_METHOD, drawn_counts, interval_95

from .query_scores import CUT, QueryScores, discounts

BOOTSTRAP_DRAWS = 2_000
METRICS = {
    "map": "average_precision", "precision_at_10": "precision_at_10", "ndcg_at_10": "ndcg_at_10",
    "mr1": "first_rank",
}  # fmt: skip


def ceilings(scores: QueryScores) -> dict[str, float]:
    """The best that any ranking can reach: P@10 divides by 10 also where a query has fewer covers."""
    return {
        "map": 1.0,
        "precision_at_10": float(np.mean(np.minimum(scores.relevant, CUT)) / CUT),
        "ndcg_at_10": 1.0,
        "mr1": 1.0,
    }


def random_ranking(scores: QueryScores) -> dict[str, float]:
    """Expectation of the scores where all orders are equally likely.

    E[AP] = (H_N + (R - 1) / (N - 1) * (N - H_N)) / N with the harmonic number H_N: a cover stands at rank i
    with probability R / N and then finds (i - 1)(R - 1) / (N - 1) others before it.
    E[nDCG at 10] = R / N times the sum of the first ten discounts, divided by that of the best ranking.
    E[first rank] = (N + 1) / (R + 1).
    """
    ranked, relevant = scores.tracks - 1, scores.relevant
    harmonic = float(np.sum(1 / np.arange(1, ranked + 1)))
    others = (relevant - 1) / max(ranked - 1, 1)
    gains = np.cumsum(discounts())
    best = gains[np.minimum(relevant, CUT) - 1]
    return {
        "map": float(np.mean((harmonic + others * (ranked - harmonic)) / ranked)),
        "precision_at_10": float(np.mean(relevant * min(CUT, ranked) / ranked / CUT)),
        "ndcg_at_10": float(np.mean(relevant / ranked * gains[min(CUT, ranked) - 1] / best)),
        "mr1": float(np.mean((ranked + 1) / (relevant + 1))),
    }


def intervals(
    scores: QueryScores, seed: int = 0, draws: int = BOOTSTRAP_DRAWS
) -> dict[str, list[float]] | None:
    """95 % intervals, [low, high], over works, as versions belong together.

    They are of works like these in a collection of this size: the other works that a query is ranked among
    are not drawn anew.

    Returns: None for fewer than two works, which tell nothing about other works.
    """
    _, work_of_query = np.unique(scores.work_numbers[scores.queries], return_inverse=True)
    works = int(work_of_query.max()) + 1
    if works < 2:
        return None
    queries = np.bincount(work_of_query)
    drawn = drawn_counts(np.arange(works), draws, seed)
    last = scores.tracks - 1
    bounds = {
        "map": (0, 1),
        "precision_at_10": (0, float(np.minimum(scores.relevant, CUT).max()) / CUT),
        "ndcg_at_10": (0, 1),
        "mr1": (1, np.inf),  # a scale that does not depend on the number of tracks
    }
    found = {}
    for name, attribute in METRICS.items():
        of_queries = getattr(scores, attribute)
        sums = np.bincount(work_of_query, weights=of_queries)
        values, left_out = drawn @ sums / (drawn @ queries), (sums.sum() - sums) / (queries.sum() - queries)
        ends = interval_95(values, left_out, float(np.mean(of_queries)), works, bounds[name])
        found[name] = [min(end, float(last)) for end in ends]
    return found


def context(scores: QueryScores) -> dict[str, Any]:
    """All three, as scores.json holds them."""
    return {
        "ceilings": ceilings(scores),
        "random_ranking": random_ranking(scores),
        "interval_95_over_works": intervals(scores),
        "interval_method": INTERVAL_METHOD,
    }
