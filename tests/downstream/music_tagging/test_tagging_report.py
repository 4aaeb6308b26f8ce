"""What -m evaluate leaves in the experiment's folder."""

import csv
import json
import logging
import shutil

import numpy as np
import pytest
from s3prl.downstream.music_tagging.labels.task import Tagging
from s3prl.downstream.music_tagging.scoring.per_tag import (
    class_table,
    confusion_figure,
    tag_figure,
    tag_table,
)
from tagging_store import TAGS
from test_tagging_expert import evaluate

from s3prl_pemr.report.bootstrap import INTERVAL_METHOD, drawn_counts, interval_95, left_out_counts
from s3prl_pemr.store import AudioStore, StoreError
from s3prl_pemr.store.dataset_name import DatasetName, write_dataset_name
from s3prl_pemr.store.groups import Group, write_groups

TARGETS = np.array([[1, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]])
SCORES = np.array([[0.9, 0.1, 0.5], [0.8, 0.8, 0.5], [0.7, 0.3, 0.5], [0.1, 0.2, 0.5]])


@pytest.fixture
def grouped(store, tmp_path):
    """The store with two clips a song; every artist is in every split."""
    folder = tmp_path / "GROUPED"
    shutil.copytree(store, folder)
    regroup(folder, lambda n: f"artist {n // 2 % 4}")
    write_dataset_name(folder, DatasetName("tones", "own"))
    return folder


def regroup(folder, artist):
    tracks = AudioStore(folder).tracks
    write_groups(folder, {track: Group(artist(n), f"song {n // 2}") for n, track in enumerate(tracks)})


def scored(make_expert, store, split="test", **arguments):
    expert = make_expert(store, mode="evaluate", evaluate_split=split, init_ckpt="x", **arguments)
    evaluate(expert, split, weight=4.0)
    return expert, json.loads((expert.expdir / "scores.json").read_text())[split]


def test_a_row_per_tag():
    header, rows = tag_table(TARGETS, SCORES, ["a", "b", "never"])
    assert header == ("tag", "positives", "clips", "roc_auc", "pr_auc")
    # test_tagging_metric.py works the first two out by hand
    assert rows[0] == ("a", 2, 4, 0.75, pytest.approx(5 / 6))
    assert rows[1] == ("b", 1, 4, 0.0, 0.25)
    assert rows[2][:3] == ("never", 0, 4) and np.isnan(rows[2][3:]).all()


def test_a_row_per_class():
    targets = np.eye(4)[[0, 0, 1, 2]]
    scores = np.eye(4)[[0, 1, 1, 1]]  # taken for 0, 1, 1, 1
    header, rows = class_table(targets, scores, list("abcd"))
    assert header == ("class", "clips", "predicted", "precision", "recall")
    assert rows[0] == ("a", 2, 1, 1.0, 0.5)
    assert rows[1] == ("b", 1, 3, pytest.approx(1 / 3), 1.0)
    assert rows[2][:3] == ("c", 1, 0) and np.isnan(rows[2][3]) and rows[2][4] == 0
    assert rows[3][:3] == ("d", 0, 0) and np.isnan(rows[3][3:]).all()


def test_a_bar_per_tag_that_has_a_score():
    figure = tag_figure(TARGETS, SCORES, ["a", "b", "never"])
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["b (1)", "a (2)"]  # upwards
    assert [bar.get_width() for bar in left.patches] == [0.0, 0.75]
    assert [bar.get_width() for bar in right.patches] == pytest.approx([0.25, 5 / 6])


def test_the_confusion_of_classes():
    figure = confusion_figure(np.eye(3)[[0, 0, 1]], np.eye(3)[[0, 1, 1]], list("abc"))
    counts = {(text.get_position(), text.get_text()) for text in figure.axes[0].texts}
    assert counts == {((0, 0), "1"), ((1, 0), "1"), ((1, 1), "1")}  # (predicted, class)


def test_an_evaluation_says_all_of_its_split(grouped, make_expert, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        _, test = scored(make_expert, grouped, bootstrap={"resamples": 200, "seed": 3})
    assert (test["data_set"], test["split"]) == ("tones, split own", "test")
    assert (test["clips"], test["songs"]) == (8, 4)
    assert (test["resampled"], test["resamples"]) == ("songs", 200)
    assert test["interval_95"] == {"roc_auc": [1.0, 1.0], "pr_auc": [1.0, 1.0]}  # every order is right
    assert test["interval_method"] == INTERVAL_METHOD
    assert test["artist_disjoint"] is None
    assert "test: intervals over 4 songs: so few" in caplog.text
    assert "test: test of tones, split own" in caplog.text
    assert (
        "test: roc_auc 1.0000 [1.0000, 1.0000], pr_auc 1.0000 [1.0000, 1.0000], 8 clips, 4 songs"
        in caplog.text
    )
    assert "95 %, 200 resamples over songs; of the split's sampling only" in caplog.text
    assert "no clip is by an artist without a training clip" in caplog.text
    with (tmp_path / "per-tag-test.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["tag"] for row in rows] == list(TAGS)
    assert rows[0] == {"tag": "high tone", "positives": "4", "clips": "8", "roc_auc": "1", "pr_auc": "1"}
    assert (tmp_path / "per-tag-test.png").read_bytes().startswith(b"\x89PNG")


def test_the_interval_is_of_these_songs(grouped, make_expert, tmp_path):
    expert = make_expert(grouped, mode="evaluate", init_ckpt="x")
    evaluate(expert, "test", weight=None)  # the weights it was made with
    with (tmp_path / "predictions-test.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    scores = np.array([[float(row[tag]) for tag in TAGS] for row in rows])
    targets = np.array([[number >> bit & 1 for bit in range(3)] for number in range(24, 32)])
    songs = np.repeat(np.arange(4), 2)
    values, left_out = (
        Tagging.resampled(targets, scores, counts, names=[])
        for counts in (drawn_counts(songs, 1_000, seed=0), left_out_counts(songs))
    )
    test = json.loads((tmp_path / "scores.json").read_text())["test"]
    assert 0 < test["roc_auc"] < 1
    for name in ("roc_auc", "pr_auc"):
        expected = interval_95(values[name], left_out[name], test[name], 4)
        assert test["interval_95"][name] == pytest.approx(expected, abs=1e-6)
        assert test["interval_95"][name][0] < test[name] < test["interval_95"][name][1]


def test_artists_that_training_has_not_are_scored_alone(grouped, make_expert, caplog):
    # all_combinations: clip24 to clip31 are the test; clip28 to clip31 have the tags 4 to 7
    regroup(grouped, lambda n: "new" if 28 <= n < 32 else "old")
    with caplog.at_level(logging.INFO):
        _, test = scored(make_expert, grouped)
    disjoint = test["artist_disjoint"]
    assert (disjoint["clips"], disjoint["songs"], disjoint["tags"]) == (4, 2, 2)
    assert disjoint["left_out"] == ["noise"]  # all four have it
    assert disjoint["roc_auc"] == 1.0 and set(disjoint["interval_95"]) == {"roc_auc", "pr_auc"}
    assert "test, artists without a training clip: roc_auc 1.0000" in caplog.text
    assert test["clips"] == 8
    assert "test, artists without a training clip: intervals over 2 songs: so few" in caplog.text

    regroup(grouped, lambda n: "new" if n == 28 else "old")
    caplog.clear()
    assert scored(make_expert, grouped)[1]["artist_disjoint"] is None
    assert "artists without a training clip, 1 clips: none of 3 tags has clips with and clips" in caplog.text


def test_labels_that_are_not_used_make_no_artist_new(grouped, make_expert):
    regroup(grouped, lambda n: f"artist {n % 8}")
    _, test = scored(make_expert, grouped, datarc={"label_fraction": 0.05})
    assert test["artist_disjoint"] is None


def test_without_groups_clips_are_drawn(store, make_expert, caplog):
    with caplog.at_level(logging.INFO):
        _, test = scored(make_expert, store)
    assert (test["songs"], test["resampled"], test["data_set"], test["artist_disjoint"]) == (
        None,
        "clips",
        "SRC",
        None,
    )
    assert "test: intervals over 8 clips: so few" in caplog.text
    assert "over clips (no groups.tsv beside the store: songs unknown)" in caplog.text


def test_a_head_of_another_split_is_told(grouped, make_expert, caplog):
    saved = make_expert(grouped).state_dict()
    caplog.clear()
    make_expert(grouped, mode="evaluate", init_ckpt="x").load_state_dict(saved)
    assert not caplog.text
    write_dataset_name(grouped, DatasetName("tones", "fold 2"))
    make_expert(grouped, mode="evaluate", init_ckpt="x").load_state_dict(saved)
    assert "trained on tones, split own, this store is tones, split fold 2: none of its clips" in caplog.text


def test_genre_has_its_own_tables(genre_store, make_expert, tmp_path):
    _, test = scored(make_expert, genre_store, task="genre")
    assert (test["accuracy"], test["interval_95"]) == (1.0, {"accuracy": [1.0, 1.0]})
    lines = (tmp_path / "per-class-test.tsv").read_text().splitlines()
    assert lines[:2] == ["class\tclips\tpredicted\tprecision\trecall", "high tone\t1\t1\t1\t1"]
    assert (tmp_path / "confusion-test.png").exists() and not (tmp_path / "per-tag-test.png").exists()


def test_segments_are_one_clip_in_what_is_written(store, make_expert, tmp_path):
    few = {"crop_samples": 6_000, "eval_batch_size": 3}
    _, by_segments = scored(make_expert, store, scoring="segments", datarc=few)
    assert (by_segments["clips"], by_segments["scoring"]) == (8, "segments")
    assert len((tmp_path / "predictions-test.tsv").read_text().splitlines()) == 9
    _, by_clip = scored(make_expert, store)
    assert by_clip["scoring"] == "clip"
    assert by_clip["roc_auc"] == by_segments["roc_auc"] == 1.0


def test_a_damaged_table_of_groups_is_one_line(grouped, make_expert, caplog):
    (grouped / "groups.tsv").write_text("artist\n")
    with pytest.raises(StoreError, match="groups.tsv: its first line is not"):
        make_expert(grouped, mode="evaluate", init_ckpt="x")
    make_expert(grouped)  # training does not need it
    assert "groups.tsv: its first line is not" in caplog.text
