"""task: regression: R2 against scikit-learn, the head's units, and labels that are numbers."""

import numpy as np
import pytest
import torch
from labelled_store import make_store
from s3prl.downstream.music_tagging.labels.regression import Regression
from s3prl.downstream.music_tagging.labels.targets import number_names, numbers
from s3prl.downstream.music_tagging.scoring.regression import r2_metrics, regression_table, weighted_r2
from sklearn.metrics import r2_score

from s3prl_pemr.report.bootstrap import drawn_counts, interval_95, left_out_counts
from s3prl_pemr.store import AudioStore

NAMES = ["arousal", "valence"]


def drawn(clips=50, seed=0):
    generator = np.random.default_rng(seed)
    targets = generator.uniform(1, 9, (clips, 2))
    return targets, targets + generator.normal(0, (1, 4), (clips, 2))


def test_r2_by_hand():
    # y 1, 2, 6 about the mean 3: 4 + 1 + 9 = 14; errors 1, 0, 2: 1 + 0 + 4 = 5
    targets, predictions = np.array([[1.0], [2.0], [6.0]]), np.array([[2.0], [2.0], [4.0]])
    assert weighted_r2(targets, predictions, np.ones((1, 3))) == pytest.approx(1 - 5 / 14)
    # the first twice, the last not at all: mean 4/3, 2/9 + 4/9 = 2/3; errors 1 + 1 + 0
    assert weighted_r2(targets, predictions, np.array([[2, 1, 0]])) == pytest.approx(1 - 2 / (2 / 3))
    assert np.isnan(weighted_r2(targets + 1e3, predictions, np.array([[0, 3, 0]])))


def test_r2_is_scikit_learns():
    targets, predictions = drawn()
    found = r2_metrics(targets, predictions, NAMES)
    assert found["r2"] == pytest.approx(r2_score(targets, predictions), abs=1e-12)
    each = r2_score(targets, predictions, multioutput="raw_values")
    assert [found["r2_arousal"], found["r2_valence"]] == pytest.approx(each, abs=1e-12)
    weights = drawn_counts(np.arange(50) // 2, 20, seed=1)
    one_by_one = [
        r2_score(targets, predictions, sample_weight=row, multioutput="raw_values") for row in weights
    ]
    np.testing.assert_allclose(weighted_r2(targets, predictions, weights), one_by_one, atol=1e-12)
    resampled = Regression.resampled(targets, predictions, weights, NAMES)
    np.testing.assert_allclose(resampled["r2"], np.mean(one_by_one, axis=1), atol=1e-12)


def test_the_table_of_numbers():
    targets, predictions = drawn()
    _, rows = regression_table(targets, predictions, NAMES)
    name, clips, _, _, r2, rmse, correlation = rows[1]
    assert (name, clips) == ("valence", 50)
    assert r2 == pytest.approx(r2_score(targets[:, 1], predictions[:, 1]))
    assert rmse == pytest.approx(np.sqrt(np.mean((targets[:, 1] - predictions[:, 1]) ** 2)))
    assert correlation == pytest.approx(np.corrcoef(targets[:, 1], predictions[:, 1])[0, 1])


def test_intervals_of_r2_are_those_of_what_is_not_explained_turned_round():
    targets, predictions = drawn()
    songs = np.arange(50) // 2
    values, without = (
        weighted_r2(targets, predictions, counts)[:, 1]
        for counts in (drawn_counts(songs, 200, 0), left_out_counts(songs))
    )
    score = r2_score(targets[:, 1], predictions[:, 1])
    low, high = interval_95(values, without, score, 25, Regression.bounds)
    turned = interval_95(1 - values, 1 - without, 1 - score, 25, (0, np.inf))
    assert (1 - turned[1], 1 - turned[0]) == (pytest.approx(low), pytest.approx(high))
    assert low < score < high <= 1
    assert interval_95(values, without, score, 1, Regression.bounds) == [-np.inf, 1]


def test_the_head_learns_standardised_numbers_and_says_them_in_the_labels_units():
    targets, _ = drawn(40)
    task = Regression(2)
    task.fit(targets.astype(np.float32))
    standard = torch.from_numpy((targets - targets.mean(axis=0)) / targets.std(axis=0))
    plain = torch.from_numpy(targets).float()
    assert task.loss(standard.float(), plain).item() == pytest.approx(0, abs=1e-10)
    assert task.loss(torch.zeros(40, 2), plain).item() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(task.scores(standard.float()).numpy(), targets, atol=1e-5)
    assert task.lines(NAMES, np.array([5.31, 2.0]), 1) == ["5.310  arousal", "2.000  valence"]


def numbered(folder, *labels):
    wav = np.random.default_rng(0).standard_normal(8_000) * 0.1
    return AudioStore(make_store(folder, {f"c{n}": (label, "train", wav) for n, label in enumerate(labels)}))


def test_numbers_of_any_store(tmp_path):
    store = numbered(tmp_path, ("tempo=120", "swing=0.5"), ("swing=-1e-1", "tempo=90.5"))
    assert number_names(store) == ["swing", "tempo"]
    assert numbers(store, [0, 1], ["swing", "tempo"]) == pytest.approx(np.array([[0.5, 120], [-0.1, 90.5]]))


@pytest.mark.parametrize(
    "labels",
    [
        ("tempo=fast", "swing=1"),
        ("tempo=1",),
        ("tempo=1", "tempo=2", "swing=1"),
        ("tempo=nan", "swing=1"),
        ("rock",),
        (),
    ],
)
def test_what_is_no_number_is_one_line(tmp_path, labels):
    store = numbered(tmp_path, ("tempo=120", "swing=0.5"), labels)
    message = "c1.wav should have a number for each of swing, tempo, as labels NAME=NUMBER, and has "
    with pytest.raises(ValueError, match=message):
        numbers(store, [0, 1], ["swing", "tempo"])


def test_refusals(tmp_path, store, make_expert):
    with pytest.raises(ValueError, match="no track has a label NAME=NUMBER, which task: regression needs"):
        make_expert(store, task="regression")
    same = np.array([[1.0, 2.0], [1.0, 3.0]])
    with pytest.raises(ValueError, match="here: 'arousal' is the same for all 2 clips: nothing to learn"):
        Regression.check(same, NAMES, ["a", "b"], "here")
    with pytest.raises(ValueError, match="'arousal' is the same for all 2 clips: R2 is not defined"):
        r2_metrics(same, same, NAMES)
    with pytest.raises(ValueError, match="the scores of 1 of 2 clips are NaN or infinite"):
        r2_metrics(same.T, np.array([[np.nan, 1], [1, 2]]), NAMES)
