"""The interval of the scores: each resample is scored as scikit-learn would score it."""

import time

import numpy as np
import pytest
import scipy.stats
from s3prl.downstream.music_tagging.labels.task import Multiclass, Tagging
from s3prl.downstream.music_tagging.metric import tag_scores, tagging_metrics
from s3prl.downstream.music_tagging.scoring import weighted_metric
from s3prl.downstream.music_tagging.scoring.clip_groups import by_new_artists, song_numbers
from s3prl.downstream.music_tagging.scoring.weighted_metric import weighted_accuracy, weighted_tag_scores

from s3prl_pemr.report import bootstrap
from s3prl_pemr.report.bootstrap import (
    MIN_SONGS,
    drawn_counts,
    empirical_logit,
    from_empirical_logit,
    interval_95,
    left_out_counts,
    too_few,
)
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
    means = Tagging.resampled(targets, scores, drawn, names=[])
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
    means = Tagging.resampled(targets, scores, np.array([[2, 0], [1, 1], [0, 2]]), names=[])
    np.testing.assert_array_equal(means["roc_auc"], [np.nan, 1, np.nan])
    assert interval_95(means["roc_auc"], np.array([1, np.nan, 1]), 1.0, songs=2) == [1.0, 1.0]


def test_the_accuracy_of_a_resample():
    targets = np.eye(3)[[0, 1, 2]]
    scores = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.1, 0.2, 0.7]])  # right, wrong, right
    drawn = np.array([[1, 1, 1], [0, 3, 0], [1, 2, 1]])
    assert weighted_accuracy(targets, scores, drawn) == pytest.approx([2 / 3, 0, 0.5])
    assert Multiclass.resampled(targets, scores, drawn, names=[])["accuracy"] == pytest.approx(
        [2 / 3, 0, 0.5]
    )


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
    # accuracy 0.8 of 400 independent clips: its logit is log 4 +- 1.96 / sqrt(400 * 0.8 * 0.2), +- 0.245
    targets = np.tile([[1, 0]], (400, 1))
    scores = np.where(np.arange(400)[:, None] < 320, [[1, 0]], [[0, 1]])
    songs = np.arange(400)
    values, left_out = (
        Multiclass.resampled(targets, scores, counts, names=[])["accuracy"]
        for counts in (drawn_counts(songs, 4_000, seed=0), left_out_counts(songs))
    )
    assert interval_95(values, left_out, 0.8, songs=400) == pytest.approx([0.7579, 0.8364], abs=0.004)


def test_the_scale_by_hand():
    # 4 songs: d = 1 / 8. 0.75: log(0.875 / 0.375) = log(7 / 3); 1: log(1.125 / 0.125) = log 9
    logits = empirical_logit(np.array([0, 0.5, 0.75, 1]), 4)
    assert logits == pytest.approx([-np.log(9), 0, np.log(7 / 3), np.log(9)])
    assert empirical_logit(np.array([0.075]), 4, (0, 0.1)) == pytest.approx([np.log(7 / 3)])  # 3 / 4 of 0.1
    assert empirical_logit(np.array([1, 3]), 4, (1, np.inf)) == pytest.approx([np.log(1 / 8), np.log(17 / 8)])
    for bounds in ((0, 1), (0, 0.1), (1, np.inf)):
        values = bounds[0] + np.array([0, 0.01, 0.1])
        there = empirical_logit(values, 4, bounds)
        assert from_empirical_logit(there, 4, bounds) == pytest.approx(values, abs=1e-12)
        assert from_empirical_logit(there - 90, 4, bounds) == pytest.approx([bounds[0]] * 3)


def test_each_song_is_left_out_once(monkeypatch):
    songs = np.array([1, 0, 2, 1, 3])
    expected = [[1, 0, 1, 1, 1], [0, 1, 1, 0, 1], [1, 1, 0, 1, 1], [1, 1, 1, 1, 0]]
    assert left_out_counts(songs).tolist() == expected
    monkeypatch.setattr(bootstrap, "MOST_PARTS", 3)  # songs 0 and 3 together
    assert left_out_counts(songs).tolist() == [[1, 0, 1, 1, 0], *expected[1:3]]


def test_the_interval_by_hand():
    # 4 songs: logits of the left-out 0.4, 0.5, 0.5, 0.6 are -a, 0, 0, a, a = log(0.725 / 0.525) = 0.32277;
    # their standard error sqrt(3 / 4 * 2 a^2) = 0.39531; t(0.975; 3) = 3.18245; reach 1.25806;
    # back: 1.25 / (1 + exp(-1.25806)) - 0.125 = 0.84837
    values, left_out = np.array([0.3, np.nan, 0.7]), np.array([0.4, 0.5, 0.5, 0.6])
    assert interval_95(values, left_out, 0.5, songs=4) == pytest.approx([0.15163, 0.84837], abs=1e-5)
    tenth = interval_95(values / 10, left_out / 10, 0.05, 4, (0, 0.1))
    assert tenth == pytest.approx([0.015163, 0.084837], abs=1e-6)
    # resamples above the score by the logit of 0.6: the truth is likely as far below it
    half = np.full(4, 0.5)
    assert interval_95(np.array([0.6, 0.6]), half, 0.5, songs=4) == pytest.approx([0.4, 0.4])


def of_mean(samples, resamples):
    """The interval of a mean of independent samples."""
    count = len(samples)
    values = drawn_counts(np.arange(count), resamples, seed=0) @ samples / count
    left_out = left_out_counts(np.arange(count)) @ samples / (count - 1)
    return interval_95(values, left_out, samples.mean(), count)


def test_of_a_mean_it_is_student_s_interval():
    # which moves so little that the scale is straight: mean -+ t s / sqrt(n)
    samples = 0.5 + 0.01 * np.random.default_rng(1).standard_normal(8)
    expected = scipy.stats.t.interval(0.95, 7, samples.mean(), samples.std(ddof=1) / 8**0.5)
    assert of_mean(samples, 40_000) == pytest.approx(expected, abs=0.02 * (expected[1] - expected[0]))


def test_with_many_songs_it_is_bca_s():
    pytest.importorskip("scipy", minversion="1.15")  # whose bootstrap is given `rng`
    samples = np.random.default_rng(2).beta(4, 1, 300)  # skewed as average precisions are
    bca = scipy.stats.bootstrap((samples,), np.mean, n_resamples=9_999, method="BCa", rng=3)
    low, high = bca.confidence_interval
    assert of_mean(samples, 10_000) == pytest.approx([low, high], abs=0.05 * (high - low))


def test_ends_where_songs_tell_nothing():
    same, unscored = np.full(30, 0.7), np.full(30, np.nan)
    assert interval_95(same, unscored[:1], 0.7, songs=1) == [0, 1]  # one song tells nothing of others
    assert interval_95(same, same, 0.7, songs=30) == [0.7, 0.7]
    assert interval_95(np.ones(100), np.ones(30), 1.0, songs=30) == [1, 1]
    assert interval_95(same, unscored, 0.7, songs=30) == interval_95(unscored, same, 0.7, songs=30) == [0, 1]
    assert interval_95(unscored, same, 3.0, 30, (1, np.inf)) == [1, np.inf]
    low, high = interval_95(np.array([1.0, 0.5, 1.0]), np.array([1.0, 0.5]), 0.9, songs=2)
    assert 0 <= low < 0.1 and high == 1  # of two songs: wide, and in bounds


def test_too_few_songs_are_told():
    assert too_few(MIN_SONGS, "songs") is None
    assert too_few(7, "songs").startswith("intervals over 7 songs: so few are rough")


def test_the_interval_over_songs_is_wider_where_their_clips_agree():
    generator = np.random.default_rng(0)
    right = np.repeat(generator.random(80) < 0.7, 5)  # all clips of a song, or none
    targets, scores = np.tile([[1, 0]], (400, 1)), np.where(right[:, None], [[1, 0]], [[0, 1]])
    widths = []
    for songs in (np.arange(400), np.repeat(np.arange(80), 5)):
        values, left_out = (
            Multiclass.resampled(targets, scores, counts, names=[])["accuracy"]
            for counts in (drawn_counts(songs, 2_000, seed=0), left_out_counts(songs))
        )
        low, high = interval_95(values, left_out, right.mean(), songs.max() + 1)
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
