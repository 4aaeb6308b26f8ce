"""Ceilings, the expectation of a random ranking, and intervals over works."""

import itertools

import numpy as np
import pytest
from s3prl.downstream.cover_song.metric import retrieval_metrics, score_queries
from s3prl.downstream.cover_song.ranking.expectation import ceilings, context, intervals, random_ranking
from s3prl.downstream.cover_song.ranking.query_scores import QueryScores


def test_covers80():
    scores = QueryScores.of(np.repeat(np.arange(80), 2))
    assert ceilings(scores) == {"map": 1.0, "precision_at_10": pytest.approx(0.1), "mr1": 1.0}
    expected = random_ranking(scores)
    assert expected["mr1"] == pytest.approx(80)  # one cover among 159: (159 + 1) / 2
    assert expected["map"] == pytest.approx(0.0355, abs=1e-4)  # H_159 / 159
    assert expected["precision_at_10"] == pytest.approx(1 / 159)


def test_the_expectation_is_the_mean_over_all_rankings():
    # 5 tracks, works a a a b b: every order of the 4 others for each query.
    works = list("aaabb")
    scores = QueryScores.of(works)
    found = {"map": [], "mr1": []}
    for order in itertools.permutations(range(4)):
        similarity = np.zeros((5, 5))
        for query in range(5):
            similarity[query, [track for track in range(5) if track != query]] = order
        metrics = retrieval_metrics(similarity, works)
        for name, values in found.items():
            values.append(metrics[name])
    expected = random_ranking(scores)
    assert np.mean(found["map"]) == pytest.approx(expected["map"], abs=1e-12)
    assert np.mean(found["mr1"]) == pytest.approx(expected["mr1"], abs=1e-12)


def test_the_interval_is_over_works():
    generator = np.random.default_rng(0)
    works = np.repeat(np.arange(30), 3)
    scores = score_queries(generator.standard_normal((90, 90)), works)
    low, high = intervals(scores)["map"]
    mean = scores.average_precision.mean()
    per_work = scores.average_precision.reshape(30, 3).mean(axis=1)
    half = 1.96 * per_work.std() / np.sqrt(30)  # the normal approximation for works of one size
    assert low < mean < high
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)
    assert intervals(scores) == intervals(scores)


def test_one_work_has_no_interval():
    scores = score_queries(np.eye(3), ["a", "a", "b"])
    assert context(scores)["interval_95_over_works"] is None
    assert context(scores)["random_ranking"]["mr1"] == pytest.approx(1.5)  # one cover among two
