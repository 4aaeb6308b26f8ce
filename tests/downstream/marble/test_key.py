"""task: key: mir_eval's weighted score."""

import numpy as np
import pytest
from s3prl.downstream.music_tagging.labels.key import Key
from s3prl.downstream.music_tagging.scoring.key_score import RELATIONS, key_scores, relation_table

from s3prl_pemr.prepare.datasets.marble.giantsteps_tables import KEYS
from s3prl_pemr.report.bootstrap import drawn_counts

mir_eval_key = pytest.importorskip("mir_eval.key")


def one_hot(names):
    return np.array([[float(key == name) for key in KEYS] for name in names])


def test_what_near_misses_are_worth():
    """By mir_eval's documentation: a fifth above 0.5, relative 0.3, parallel 0.2."""
    said = ("C major", "G major", "A minor", "C minor", "F major", "Db minor")
    targets, scores = one_hot(["C major"] * 6), one_hot(said)
    found = Key.metrics(targets, scores, KEYS)
    assert found["weighted_score"] == pytest.approx((1 + 0.5 + 0.3 + 0.2 + 0 + 0) / 6)
    assert found["accuracy"] == pytest.approx(1 / 6)
    assert next(iter(found)) == Key.selects_by
    _, rows = relation_table(targets, scores, KEYS)
    assert {name: clips for name, _, clips in rows} == {
        "same": 1, "fifth above": 1, "relative": 1, "parallel": 1, "other": 2,
    }  # fmt: skip
    assert sum(clips for *_, clips in rows) == 6


def test_all_pairs_are_mir_evals():
    table = key_scores(KEYS)
    for row, true in enumerate(KEYS):
        for column, said in enumerate(KEYS):
            assert table[row, column] == mir_eval_key.evaluate(true, said)["Weighted Score"]
    assert set(np.unique(table)) == set(RELATIONS.values())


def test_a_resample_is_a_split_in_which_clips_stand_so_often():
    generator = np.random.default_rng(0)
    targets = one_hot(generator.choice(KEYS, 30))
    scores = generator.uniform(size=(30, 24))
    weights = drawn_counts(np.arange(30) // 2, 10, seed=0)
    found = Key.resampled(targets, scores, weights, KEYS)
    for resample, counts in enumerate(weights):
        rows = np.repeat(np.arange(30), counts)
        expected = Key.metrics(targets[rows], scores[rows], KEYS)
        for name, values in found.items():
            assert values[resample] == pytest.approx(expected[name])


def test_a_label_that_is_no_key_is_one_line(genre_store, make_expert):
    with pytest.raises(
        ValueError, match="task: key: 'high tone' is no key as mir_eval spells them, `Eb minor`"
    ):
        make_expert(genre_store, task="key")
