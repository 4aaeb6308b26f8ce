"""Files of version 0.1.0 still load, and mean what they meant."""

import json
import shutil

import numpy as np
import pytest
import torch
from places import GOLDEN
from s3prl import hub
from s3prl.pretrain.training.runner import PretrainRunner
from s3prl.pretrain.training.runner_config import RunnerFile
from s3prl.upstream.adapter.checkpoint import read_checkpoint
from s3prl.upstream.pemr.config import PemrConfig

from s3prl_pemr.audio import to_float32
from s3prl_pemr.covers.__main__ import main as covers
from s3prl_pemr.covers.index import read_index
from s3prl_pemr.features.cache import FeatureFiles
from s3prl_pemr.settings import parse
from s3prl_pemr.store import AudioStore

FILES = GOLDEN / "0.1.0"
FINGERPRINT = "e21b0195ff2e828aa075c87ccc26171a3acc85f1392c9306cc1f1be1080d8a79"
# hub.pemr's first frame of the fourth track
FRAME = [0.04287564, 0.08412509, 0.07439648, 0.11611122, 0.08089138, 0.22053476, 0.13670713, 0.0]

WARNING = "the upstream was pretrained on the split 'test' of music too: not scores of unheard music"


def test_store():
    store = AudioStore(FILES / "store")
    assert store.fingerprint == FINGERPRINT
    assert store.tracks[3] == "tone03.wav"
    assert store.labels[4:7] == [["low", "bright"], ["low", "bright"], ["high"]]
    assert [store.splits.count(split) for split in ("train", "valid", "test")] == [6, 3, 3]
    assert store.read(3, 0, 5).tolist() == [183, 1449, 2567, 3626, 5162]


def test_checkpoint_as_upstream():
    wav = torch.from_numpy(to_float32(AudioStore(FILES / "store").read(3)))
    with torch.no_grad():
        hidden = hub.pemr(ckpt=str(FILES / "pretrain" / "states-3.ckpt"))([wav])["last_hidden_state"]
    torch.testing.assert_close(hidden, torch.tensor([[FRAME]]), rtol=1e-4, atol=1e-5)


def test_checkpoint_goes_on(tmp_path):
    states = read_checkpoint(FILES / "pretrain" / "states-3.ckpt")
    config = states["Config"]
    config["pretrain_expert"]["datarc"]["store"] = str(FILES / "store")
    config["runner"]["total_steps"] = 4
    runner = PretrainRunner(tmp_path, config, states["Upstream_Config"], "cpu", rank=0, states=states)
    assert runner.step == 3
    assert runner.train() == 0
    assert (tmp_path / "states-4.ckpt").is_file()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A copy of the files, which is where the head's checkpoint looks for its upstream."""
    shutil.copytree(FILES, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def test_head_and_feature_cache(here, run_downstream):
    kept = {file: file.read_bytes() for file in here.joinpath("features").rglob("*.npz")}
    run_downstream("-m", "evaluate", "-e", "head/dev-best.ckpt", "-t", "test", "--feature_cache", "features")
    scores = json.loads((here / "head" / "scores.json").read_text())["test"]
    # as the run of 0.1.0 scored it
    assert scores["loss"] == pytest.approx(0.7050918, abs=1e-5)
    assert (scores["roc_auc"], scores["pr_auc"]) == pytest.approx((2 / 3, 7 / 9))
    assert scores["upstream_heard"] == {
        "data_set": None, "data_set_split": None, "fingerprint": FINGERPRINT, "splits": {"train": None}
    }  # fmt: skip
    assert len(kept) == 12
    assert all(file.read_bytes() == content for file, content in kept.items())


@pytest.mark.parametrize(
    ("split", "warned"), [("train", False), ("", True), ("test", True), ("valid", False)]
)
def test_a_head_is_warned_of_where_its_upstream_heard_the_test_clips(
    here, caplog, run_downstream, split, warned
):
    path = here / "pretrain" / "states-3.ckpt"
    states = read_checkpoint(path)
    states["Config"]["pretrain_expert"]["datarc"]["split"] = split
    torch.save(states, path)
    run_downstream("-m", "evaluate", "-e", "head/dev-best.ckpt", "-t", "test")
    lines = [line for line in caplog.messages if "pretrained on" in line]
    assert lines == ["test: " + WARNING] * warned
    scores = json.loads((here / "head" / "scores.json").read_text())["test"]
    assert scores["upstream_heard"]["splits"] == ({split: None} if split else "all")


def test_features_of_a_cache(here):
    """The folder by its old identity; in it what the checkpoint gives today, one mean for each track."""
    [folder] = (here / "features").iterdir()
    identity = json.loads((folder / "identity.json").read_text())
    files = FeatureFiles(here / "features", identity, max_gigabytes=1)
    assert files.folder == folder
    kept = np.stack([files.read(path.stem)[0][0] for path in folder.rglob("*.npz")])
    store, model = AudioStore(here / "store"), hub.pemr(ckpt=str(here / "pretrain" / "states-3.ckpt"))
    with torch.no_grad():
        frames = [
            model([torch.from_numpy(to_float32(store.read(track)))])["last_hidden_state"][0, 0].numpy()
            for track in range(len(store))
        ]
    assert len(kept) == len(frames) == 12
    for frame in frames:
        assert np.abs(kept - frame).max(axis=1).min() < 1e-5


def test_cover_index(capsys):
    index = read_index(FILES / "covers.npz")
    assert index.embeddings.shape == (12, 300)
    assert index.tracks[3] == "tone03.wav"
    assert covers(["evaluate", str(FILES / "covers.npz"), str(FILES / "covers.tsv")]) == 0
    assert "MAP 0.6552, P@10 0.4000, MR1 1.00, 12 queries of 2 works" in capsys.readouterr().out


def test_settings_of_a_run_are_settings_still():
    states = read_checkpoint(FILES / "pretrain" / "states-3.ckpt")
    config = parse(RunnerFile, states["Config"], "config_runner.yaml")
    assert config.runner.total_steps == 3
    model = parse(PemrConfig, states["Upstream_Config"]["model"], "config_model.yaml")
    assert model.transformer.frame_scale == "1"  # unscaled, as 0.1.0 was
