"""recipes/game_music/probe.py on vectors that are there already."""

import runpy
import sys

import numpy as np
import pytest
import torch
from labelled_store import make_store
from places import ROOT

from s3prl_pemr.store import AudioStore

PROBE = ROOT / "recipes" / "game_music" / "probe.py"


@pytest.fixture
def experiment(tmp_path):
    """A store of 120 clips, and pretrainings: one knows the tags, one less so, and one lacks a seed."""
    rng = np.random.default_rng(0)
    marks = rng.random((120, 2)) < 0.5
    splits = ["train"] * 60 + ["valid"] * 30 + ["test"] * 30
    tracks = {
        f"{number:03d}": ([tag for tag, has in zip("ab", row, strict=True) if has], split, np.full(800, 0.1))
        for number, (row, split) in enumerate(zip(marks, splits, strict=True))
    }
    store = AudioStore(make_store(tmp_path, tracks))
    marks = np.array([[tag in labels for tag in "ab"] for labels in store.labels])
    out = tmp_path / "OUT"
    (out / "probe").mkdir(parents=True)
    for name, noise, seeds in (("good", 0.1, (1, 2)), ("bad", 5.0, (1, 2)), ("half", 0.1, (1,))):
        for seed in seeds:
            key = f"{name}-seed{seed}"
            (out / "pretraining" / key / "run").mkdir(parents=True)
            torch.save({}, out / "pretraining" / key / "run" / "states-3.ckpt")
            wide = np.concatenate([marks, rng.normal(0, 1, (len(store), 3))], axis=1)
            np.save(out / "probe" / f"{key}-states-3.npy", wide + rng.normal(0, noise, wide.shape))
    return out, store


def shown(monkeypatch, capsys, out, store, *names):
    monkeypatch.setattr(sys, "argv", ["probe.py", str(out), str(store.path), *names])
    runpy.run_path(str(PROBE), run_name="__main__")
    return capsys.readouterr().out.splitlines()


def test_means_over_the_seeds_that_all_have_and_differences_to_the_first(experiment, monkeypatch, capsys):
    out, store = experiment
    seeds, *lines = shown(monkeypatch, capsys, out, store, "good", "bad")
    assert seeds == "seeds: 1, 2" and len(lines) == 2 * 4
    valid, test = ([cell.strip() for cell in lines[row].split("|")[1:-1]] for row in (0, 4))
    assert (valid[0], test[0]) == ("valid", "test") and valid[1:4] == ["ROC-AUC", "over seeds", "difference"]
    for good, bad in (lines[2:4], lines[6:8]):
        good, bad = ([cell.strip() for cell in line.split("|")[1:-1]] for line in (good, bad))
        assert (good[0], bad[0], good[3]) == ("good", "bad", "")
        values = [float(row[1].split()[0]) for row in (good, bad)]
        assert values[0] > 0.97 and values[1] < 0.8 and float(bad[2]) > 0
        difference, high = float(bad[3].split()[0]), float(bad[3].rpartition(",")[2].rstrip("]"))
        assert difference == pytest.approx(values[1] - values[0], abs=0.002) and high < 0
    assert shown(monkeypatch, capsys, out, store, "good", "half")[0] == "seeds: 1"


def test_a_newer_checkpoint_is_heard_anew(experiment, monkeypatch, capsys):
    out, store = experiment
    torch.save({}, out / "pretraining/half-seed1/run/states-4.ckpt")
    with pytest.raises(ValueError, match="states-4.ckpt"):
        shown(monkeypatch, capsys, out, store, "good", "half")
