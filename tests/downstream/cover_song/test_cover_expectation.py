"""Ceilings, the expectation of a random ranking, and intervals over works."""

import itertools

import numpy as np
import pytest
import scipy.stats
from s3prl.downstream.cover_song.metric import retrieval_metrics, score_queries
from s3prl.downstream.cover_song.ranking.expectation import ceilings, context, intervals, random_ranking
from s3prl.downstream.cover_song.ranking.query_scores import QueryScores
from s3prl.downstream.cover_song.ranking.report import Retrieval

from s3prl_pemr.report.bootstrap import INTERVAL_METHOD


def test_covers80():
    scores = QueryScores.of(np.repeat(np.arange(80), 2))
    assert ceilings(scores) == {
        "map": 1.0, "precision_at_10": pytest.approx(0.1), "ndcg_at_10": 1.0, "mr1": 1.0,
    }  # fmt: skip
    expected = random_ranking(scores)
    assert expected["mr1"] == pytest.approx(80)  # one cover among 159: (159 + 1) / 2
    assert expected["map"] == pytest.approx(0.0355, abs=1e-4)  # H_159 / 159
    assert expected["precision_at_10"] == pytest.approx(1 / 159)


def test_the_expectation_is_the_mean_over_all_rankings():
    # 5 tracks, works a a a b b: every order of the 4 others for each query.
    works = list("aaabb")
    scores = QueryScores.of(works)
    found = {"map": [], "ndcg_at_10": [], "mr1": []}
    for order in itertools.permutations(range(4)):
        similarity = np.zeros((5, 5))
        for query in range(5):
            similarity[query, [track for track in range(5) if track != query]] = order
        metrics = retrieval_metrics(similarity, works)
        for name, values in found.items():
            values.append(metrics[name])
    expected = random_ranking(scores)
    assert np.mean(found["map"]) == pytest.approx(expected["map"], abs=1e-12)
    assert np.mean(found["ndcg_at_10"]) == pytest.approx(expected["ndcg_at_10"], abs=1e-12)
    assert np.mean(found["mr1"]) == pytest.approx(expected["mr1"], abs=1e-12)


def test_the_interval_is_over_works():
    generator = np.random.default_rng(0)
    works = np.repeat(np.arange(30), 3)
    scores = score_queries(generator.standard_normal((90, 90)), works)
    low, high = intervals(scores)["map"]
    mean = scores.average_precision.mean()
    per_work = scores.average_precision.reshape(30, 3).mean(axis=1)
    # Student's interval for works of one size, on the logit's scale: d = 1 / 60
    half = scipy.stats.t.ppf(0.975, 29) * per_work.std(ddof=1) / 30**0.5
    slope = 1 / (mean + 1 / 60) + 1 / (1 - mean + 1 / 60)
    ends = mean + np.array([-1, 1]) * half
    logits = np.log((mean + 1 / 60) / (1 - mean + 1 / 60)) + slope * (ends - mean)
    share = 1 / (1 + np.exp(-logits))
    assert low < mean < high
    assert [low, high] == pytest.approx(share * (1 + 1 / 30) - 1 / 60, abs=0.2 * half)
    assert intervals(scores) == intervals(scores)


def test_intervals_stay_where_scores_can_be():
    scores = score_queries(np.random.default_rng(1).standard_normal((8, 8)), np.repeat(np.arange(4), 2))
    found = intervals(scores)
    assert all(0 <= end <= 1 for name in ("map", "ndcg_at_10") for end in found[name])
    assert all(0 <= end <= 0.1 for end in found["precision_at_10"])  # one cover a query
    assert all(1 <= end <= 7 for end in found["mr1"])  # of 7 tracks ranked
    assert context(scores)["interval_method"] == INTERVAL_METHOD


def test_few_works_are_told_with_the_scores(caplog):
    embeddings = np.random.default_rng(2).standard_normal((48, 8))
    for works, told in ((4, True), (24, False)):
        names = np.arange(48) % works
        found = Retrieval("test", list(map(str, range(48))), names, embeddings)
        found.tell(intervals=False)  # as while training
        assert "intervals" not in caplog.text
        found.tell()
        assert ("test: intervals over 4 works: so few are rough" in caplog.text) == told
        caplog.clear()


def test_one_work_has_no_interval():
    scores = score_queries(np.eye(3), ["a", "a", "b"])
    assert context(scores)["interval_95_over_works"] is None
    assert context(scores)["random_ranking"]["mr1"] == pytest.approx(1.5)  # one cover among two
