"""The interval of the scores: each resample is scored as scikit-learn would score it."""

import time

import numpy as np
import pytest
from s3prl.downstream.music_tagging.labels.task import Genre, Tagging
from s3prl.downstream.music_tagging.metric import tag_scores, tagging_metrics
from s3prl.downstream.music_tagging.scoring import weighted_metric
from s3prl.downstream.music_tagging.scoring.clip_groups import by_new_artists, song_numbers
from s3prl.downstream.music_tagging.scoring.weighted_metric import weighted_accuracy, weighted_tag_scores

from s3prl_pemr.report.bootstrap import drawn_counts, interval_95
from s3prl_pemr.store.groups import Group

GROUPS = {
    "a1": Group("A", "one"),
    "a2": Group("A", "one"),
    "b1": Group("B", "two"),
    "c1": Group("C", "three"),
    "c2": Group("", "three"),
}


def repeated(array, counts):
    return np.repeat(array, counts, axis=0)


@pytest.mark.parametrize("levels", [3, 40, 10**6])  # many ties, some, none
def test_each_resample_equals_scikit_learn(levels, monkeypatch):
    monkeypatch.setattr(weighted_metric, "CHUNK", 8)
    generator = np.random.default_rng(levels)
    targets = (generator.random((60, 6)) < [0.02, 0.05, 0.2, 0.5, 0.95, 1]).astype(np.float32)
    scores = np.round(generator.random((60, 6)) * levels) / levels
    songs = np.repeat(np.arange(20), 3)
    drawn = drawn_counts(songs, 18, seed=0)
    roc_auc, pr_auc = weighted_tag_scores(targets, scores, drawn)
    expected = [tag_scores(repeated(targets, counts), repeated(scores, counts)) for counts in drawn]
    np.testing.assert_allclose(roc_auc, [roc for roc, _ in expected], rtol=0, atol=1e-12)
    np.testing.assert_allclose(pr_auc, [pr for _, pr in expected], rtol=0, atol=1e-12)
    assert 0 < np.isnan(roc_auc).mean() < 0.6  # rare tags are in some resamples only
    means = Tagging.resampled(targets, scores, drawn)
    for row in (0, 7, 17):
        whole = tagging_metrics(repeated(targets, drawn[row]), repeated(scores, drawn[row]))
        assert means["roc_auc"][row] == pytest.approx(whole["roc_auc"], abs=1e-12)
        assert means["pr_auc"][row] == pytest.approx(whole["pr_auc"], abs=1e-12)


def test_weights_by_hand():
    # best first: + (drawn twice) - - (not drawn) +. Two of three positives beat the negative; the
    # precision at them is 1, 1 and 3 / 4
    targets, scores = np.array([[1], [0], [0], [1]]), np.array([[0.9], [0.8], [0.7], [0.6]])
    roc_auc, pr_auc = weighted_tag_scores(targets, scores, np.array([[2, 1, 0, 1]]))
    assert (roc_auc.item(), pr_auc.item()) == pytest.approx((2 / 3, (2 * 1 + 3 / 4) / 3))


def test_a_resample_without_any_tag_is_not_a_number():
    targets, scores = np.array([[1], [0]]), np.array([[0.9], [0.1]])
    means = Tagging.resampled(targets, scores, np.array([[2, 0], [1, 1], [0, 2]]))
    np.testing.assert_array_equal(means["roc_auc"], [np.nan, 1, np.nan])
    assert interval_95(means["roc_auc"], 1.0) == [1.0, 1.0]


def test_the_accuracy_of_a_resample():
    targets = np.eye(3)[[0, 1, 2]]
    scores = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.1, 0.2, 0.7]])  # right, wrong, right
    drawn = np.array([[1, 1, 1], [0, 3, 0], [1, 2, 1]])
    assert weighted_accuracy(targets, scores, drawn) == pytest.approx([2 / 3, 0, 0.5])
    assert Genre.resampled(targets, scores, drawn)["accuracy"] == pytest.approx([2 / 3, 0, 0.5])


def test_songs_are_drawn_as_often_as_there_are_songs():
    songs = np.array([0, 0, 1, 2, 2, 2])
    drawn = drawn_counts(songs, 2_000, seed=5)
    first = drawn[:, [0, 2, 3]]
    assert (first.sum(axis=1) == 3).all()
    assert (drawn == first[:, songs]).all()  # the clips of a song come and go together
    # a song is drawn 3 times with probability 1 / 3: on average once, never in (2 / 3)^3 of the resamples
    assert first.mean(axis=0) == pytest.approx([1, 1, 1], abs=0.1)
    assert (first == 0).mean() == pytest.approx(8 / 27, abs=0.03)
    assert (drawn_counts(songs, 10, seed=5) == drawn_counts(songs, 10, seed=5)).all()
    assert (drawn_counts(songs, 10, seed=6) != drawn_counts(songs, 10, seed=5)).any()


def test_the_interval_is_that_of_the_central_limit():
    # accuracy 0.8 of 400 independent clips: 0.8 +- 1.96 sqrt(0.8 * 0.2 / 400) = 0.8 +- 0.0392
    targets = np.tile([[1, 0]], (400, 1))
    scores = np.where(np.arange(400)[:, None] < 320, [[1, 0]], [[0, 1]])
    values = Genre.resampled(targets, scores, drawn_counts(np.arange(400), 4_000, seed=0))["accuracy"]
    assert interval_95(values, 0.8) == pytest.approx([0.7608, 0.8392], abs=0.004)


def test_the_interval_lies_around_the_score():
    # resamples 0, 0.01 ... 1 and one without a score: percentiles 0.025 and 0.975, their mean 0.5
    values = np.append(np.arange(101) / 100, np.nan)
    assert interval_95(values, 0.5) == pytest.approx([0.025, 0.975])
    assert interval_95(values / 10, 0.04) == pytest.approx([0, 0.0875])  # -0.0075 is no score
    assert interval_95(values / 10 + 0.2, 0.21) == pytest.approx([0.1625, 0.2575])


def test_the_interval_over_songs_is_wider_where_their_clips_agree():
    generator = np.random.default_rng(0)
    right = np.repeat(generator.random(80) < 0.7, 5)  # all clips of a song, or none
    targets, scores = np.tile([[1, 0]], (400, 1)), np.where(right[:, None], [[1, 0]], [[0, 1]])
    widths = []
    for songs in (np.arange(400), np.repeat(np.arange(80), 5)):
        values = Genre.resampled(targets, scores, drawn_counts(songs, 2_000, seed=0))["accuracy"]
        low, high = interval_95(values, right.mean())
        widths.append(high - low)
    assert widths[1] / widths[0] == pytest.approx(5**0.5, rel=0.1)


def test_the_size_of_magnatagatune_is_quick():
    generator = np.random.default_rng(0)
    targets, scores = generator.random((5_329, 50)) < 0.054, generator.random((5_329, 50))
    drawn = drawn_counts(generator.integers(1_100, size=5_329), 100, seed=0)
    start = time.process_time()
    weighted_tag_scores(targets, scores, drawn)
    assert time.process_time() - start < 6  # 0.4 s where written; a tenth of the 1,000 resamples' minute


def test_songs_of_clips():
    tracks = ["c1", "a2", "x", "c2", "a1", "y"]
    numbers = song_numbers(tracks, GROUPS)
    assert numbers[0] == numbers[3] and numbers[1] == numbers[4]
    assert sorted(set(numbers)) == [0, 1, 2, 3]  # x and y are not known: each its own
    assert sorted(song_numbers(tracks, None)) == list(range(6))


def test_artists_that_training_never_heard():
    assert by_new_artists(["a2", "b1", "c1", "c2", "x"], ["a1", "unknown"], GROUPS).tolist() == [1, 2]
    assert by_new_artists(["a2"], ["a1"], GROUPS).tolist() == []
