"""What a score is to be seen against: the best possible one, a random ranking's, and its interval.

R: covers of a query; N: tracks ranked for it, all but the query itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .query_scores import CUT, QueryScores

BOOTSTRAP_DRAWS = 2_000
INTERVAL_PERCENT = 95
METRICS = {"map": "average_precision", "precision_at_10": "precision_at_10", "mr1": "first_rank"}


def ceilings(scores: QueryScores) -> dict[str, float]:
    """The best that any ranking can reach: P@10 divides by 10 also where a query has fewer covers."""
    return {
        "map": 1.0,
        "precision_at_10": float(np.mean(np.minimum(scores.relevant, CUT)) / CUT),
        "mr1": 1.0,
    }


def random_ranking(scores: QueryScores) -> dict[str, float]:
    """Expectation of the scores where all orders are equally likely.

    E[AP] = (H_N + (R - 1) / (N - 1) * (N - H_N)) / N with the harmonic number H_N: a cover stands at rank i
    with probability R / N and then finds (i - 1)(R - 1) / (N - 1) others before it.
    E[first rank] = (N + 1) / (R + 1).
    """
    ranked, relevant = scores.tracks - 1, scores.relevant
    harmonic = float(np.sum(1 / np.arange(1, ranked + 1)))
    others = (relevant - 1) / max(ranked - 1, 1)
    return {
        "map": float(np.mean((harmonic + others * (ranked - harmonic)) / ranked)),
        "precision_at_10": float(np.mean(relevant * min(CUT, ranked) / ranked / CUT)),
        "mr1": float(np.mean((ranked + 1) / (relevant + 1))),
    }


def intervals(
    scores: QueryScores, seed: int = 0, draws: int = BOOTSTRAP_DRAWS
) -> dict[str, list[float]] | None:
    """95 % bootstrap intervals, [low, high]: works are drawn with replacement, as versions belong together.

    Returns: None for fewer than two works, which tell nothing about other works.
    """
    _, work_of_query = np.unique(scores.work_numbers[scores.queries], return_inverse=True)
    works = work_of_query.max() + 1
    if works < 2:
        return None
    queries_per_work = np.bincount(work_of_query)
    generator = np.random.default_rng(seed)
    drawn = [generator.integers(works, size=works) for _ in range(draws)]
    queries = np.array([queries_per_work[works_drawn].sum() for works_drawn in drawn])
    tails = [(100 - INTERVAL_PERCENT) / 2, (100 + INTERVAL_PERCENT) / 2]
    found = {}
    for name, attribute in METRICS.items():
        sums = np.bincount(work_of_query, weights=getattr(scores, attribute))
        means = np.array([sums[works_drawn].sum() for works_drawn in drawn]) / queries
        found[name] = [float(bound) for bound in np.percentile(means, tails)]
    return found


def context(scores: QueryScores) -> dict[str, Any]:
    """All three, as scores.json holds them."""
    return {
        "ceilings": ceilings(scores),
        "random_ranking": random_ranking(scores),
        "interval_95_over_works": intervals(scores),
    }
