"""Scores that can be paired: against the task's own, and against numbers worked out here."""

import json

import numpy as np
import pytest
from s3prl.downstream.cover_song.ranking.report import Retrieval

from s3prl_pemr.comparison.outcome.scores import Score, cover_scores, mean_score


def score(values, weights=None):
    counts = np.random.default_rng(0).multinomial(
        len(values), np.full(len(values), 1 / len(values)), size=400
    )
    left_out = (values.sum() - values) / (len(values) - 1)
    return Score(float(values.mean()), counts @ values / len(values), left_out, len(values))


@pytest.fixture
def retrieval(tmp_path):
    """Thirty works of two or three versions, found more or less well."""
    rng = np.random.default_rng(0)
    works = [f"work {number}" for number in range(30) for _ in range(2 + number % 2)]
    centres = {work: rng.normal(size=8) for work in works}
    embeddings = np.array([centres[work] + rng.normal(0, 0.8, 8) for work in works])
    Retrieval("test", [f"track {n}" for n in range(len(works))], works, embeddings).write(tmp_path, {})
    return tmp_path


def test_cover_scores_and_intervals_are_the_tasks(retrieval):
    entry = json.loads((retrieval / "scores.json").read_text())["test"]
    found = cover_scores(retrieval / "per_query-test.tsv")
    assert set(found) == {"map", "precision_at_10", "mr1"}
    for name, own in found.items():
        assert own.value == pytest.approx(entry[name], abs=1e-6)
        assert own.songs == 30
        # the same but for the number of resamples, and P@10's bound, which knows how many covers there are
        if name != "precision_at_10":
            assert own.interval == pytest.approx(entry["interval_95_over_works"][name], rel=0.02)


def test_a_mean_over_seeds_is_of_the_same_songs():
    rng = np.random.default_rng(1)
    values = rng.uniform(0.2, 0.9, 30)
    noisy = [values + rng.normal(0, 0.05, 30) for _ in range(3)]
    mean = mean_score([score(seed) for seed in noisy])
    expected = score(np.mean(noisy, axis=0))
    assert mean.value == pytest.approx(expected.value)
    np.testing.assert_allclose(mean.drawn, expected.drawn)
    assert mean.interval == pytest.approx(expected.interval)


def test_differences_of_a_score_without_an_upper_bound_are_finite():
    rng = np.random.default_rng(2)
    ranks = rng.integers(1, 40, 30).astype(float)
    one, other = (
        Score(s.value, s.drawn, s.left_out, s.songs, (1.0, np.inf))
        for s in (score(ranks), score(ranks + rng.integers(0, 3, 30)))
    )
    difference, (low, high) = one.less(other)
    assert low < difference < high < 0
    assert difference == pytest.approx(one.value - other.value)
