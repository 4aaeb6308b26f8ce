"""From the layouts of MARBLE's data sets to scores, through s3prl's loop, by the tasks' own configs."""

import csv
import json

import numpy as np
import pytest
from marble_layouts import make_emo, make_giantsteps, make_jamendo, make_nsynth

from s3prl_pemr.prepare.__main__ import main as prepare

DATA = "config.downstream_expert.datarc"
SHORT = ",,".join(f"config.runner.{key}={steps}" for key, steps in (
    ("total_steps", 60), ("eval_step", 20), ("save_step", 60), ("log_step", 20)))  # fmt: skip
SEGMENTS = f"{DATA}.crop_samples=3200,,{DATA}.train_batch_size=16,,config.optimizer.lr=0.01"


def trained_and_scored(run_downstream, folder, config, command, *options, settings=SEGMENTS):
    """The entry of scores.json, of fbank_no_cmvn."""
    store = folder / "STORE"
    assert prepare([*command, str(store), "--jobs", "1", *options]) == 0
    run_downstream(
        *("-m", "train", "-u", "fbank_no_cmvn", "-d", "music_tagging", "-c", config, "-p", folder / "run"),
        *("-o", f"{DATA}.store={store},,{SHORT},,{settings}"),
    )
    run_downstream("-m", "evaluate", "-e", folder / "run" / "dev-best.ckpt")
    return json.loads((folder / "run" / "scores.json").read_text())["test"]


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_emotion(run_downstream, tmp_path, capsys):
    """Arousal is how loud the songs are: a head on filter banks hears it."""
    root = make_emo(tmp_path / "emo", songs=48, evaluation=12)
    test = trained_and_scored(run_downstream, tmp_path, "config_emo.yaml", ["emo", str(root)])
    assert (test["task"], test["scoring"], test["clips"], test["songs"]) == ("regression", "segments", 12, 12)
    assert test["r2"] > 0.5 and test["r2"] == pytest.approx((test["r2_arousal"] + test["r2_valence"]) / 2)
    assert list(test["interval_95"]) == ["r2", "r2_arousal", "r2_valence"]
    low, high = test["interval_95"]["r2"]
    assert low < test["r2"] < high <= 1
    assert "calibration" not in test
    rows = table(tmp_path / "run" / "predictions-test.tsv")
    said = np.array([float(row["arousal"]) for row in rows])
    true = np.array([1 + 7 * (int(row["track"]) % 7) / 6 for row in rows])
    assert np.corrcoef(said, true)[0, 1] > 0.8 and np.abs(said - true).mean() < 2
    numbers = table(tmp_path / "run" / "per-number-test.tsv")
    assert [row["number"] for row in numbers] == ["arousal", "valence"]
    assert (tmp_path / "run" / "predicted-test.png").exists()
    capsys.readouterr()
    song = root / "clips_45seconds" / "48.mp3"
    run_downstream("-m", "inference", "-t", song, "-e", tmp_path / "run" / "dev-best.ckpt")
    printed = capsys.readouterr()
    lines = printed.out.split("\n")
    at = lines.index("48")
    assert [line.split()[1] for line in lines[at + 1 : at + 3]] == ["arousal", "valence"]
    assert "clips of emomusic, split marble, in the units of its labels" in printed.err


def test_keys(run_downstream, tmp_path):
    """Three keys, a tone each: a head on filter banks tells them apart."""
    pytest.importorskip("mir_eval")
    root = make_giantsteps(tmp_path / "gs", tracks=24)
    test = trained_and_scored(run_downstream, tmp_path, "config_giantsteps.yaml", ["giantsteps", str(root)])
    assert (test["task"], test["clips"], test["songs"]) == ("key", 6, 6)
    assert test["weighted_score"] >= test["accuracy"] > 0.6
    assert list(test["interval_95"]) == ["weighted_score", "accuracy"]
    assert test["calibration"]["temperature"] >= 1
    rows = table(tmp_path / "run" / "key-relations-test.tsv")
    assert sum(float(row["worth"]) * int(row["clips"]) for row in rows) / 6 == pytest.approx(
        test["weighted_score"]
    )
    assert test["artist_disjoint"] is None  # of the test songs no artist is known


def test_pitches(run_downstream, tmp_path):
    root = make_nsynth(tmp_path / "nsynth")
    settings = f"{DATA}.train_batch_size=4,,config.optimizer.lr=0.01"
    command = ["nsynth", str(root), "--task", "pitch"]
    test = trained_and_scored(run_downstream, tmp_path, "config_nsynth.yaml", command, settings=settings)
    assert (test["task"], test["clips"], test["songs"], test["tags"]) == ("multiclass", 4, 2, 2)
    assert test["artist_disjoint"] is None  # notes have instruments, and no artists
    assert (tmp_path / "run" / "confusion-test.png").exists()


def test_tags_of_long_tracks(run_downstream, tmp_path):
    root = make_jamendo(tmp_path / "mtg")
    test = trained_and_scored(
        run_downstream, tmp_path, "config_jamendo.yaml", ["jamendo", str(root)], "--subset", "moodtheme"
    )
    assert (test["task"], test["clips"], test["tags"]) == ("tags", 2, 2)
