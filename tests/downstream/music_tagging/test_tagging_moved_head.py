"""A head that is moved alone: to another folder, without its upstream's checkpoint or the run's folder."""

import json
import shutil

import pytest
import soundfile
import torch
from s3prl.upstream.adapter.checkpoint import shipped_weights
from tagging_store import clip

from s3prl_pemr.audio import SAMPLE_RATE


def pretrained(path, seed):
    """A checkpoint as run_pretrain.py -u pemr writes it, of random weights."""
    import numpy as np
    from s3prl.pretrain.pemr.method import PemrMethod

    torch.manual_seed(seed)
    method = PemrMethod({"model": {"encoder_channels": [4, 4, 8, 8]}}, "test")
    states = {"Method": "pemr", "Upstream_Config": method.settings(), "Upstream": method.model.state_dict()}
    heard = {"data_set": "some set", "data_set_split": "", "fingerprint": "f", "splits": {"train": 3}}
    torch.save({**states, "Heard": heard, "Optimizer": {"large": torch.zeros(10_000)}}, path)
    return np.random.default_rng(seed)


@pytest.fixture
def head(store, run_downstream, tmp_path, monkeypatch):
    """The head of a run whose folder, and whose upstream's checkpoint, are gone; (path, its scores then)."""
    there = tmp_path / "there"
    there.mkdir()
    pretrained(there / "upstream.ckpt", 1)
    settings = [f"config.runner.{key}=1" for key in ("total_steps", "eval_step", "save_step", "log_step")]
    settings += [f"config.downstream_expert.datarc.store={store}"]
    flags = (
        "-m",
        "train",
        "-u",
        "pemr",
        "-k",
        there / "upstream.ckpt",
        "-d",
        "music_tagging",
        "-p",
        there / "run",
    )
    run_downstream(*flags, "-p", there / "run", "-o", ",,".join(settings))
    run_downstream("-m", "evaluate", "-e", there / "run/dev-best.ckpt")
    scores = json.loads((there / "run/scores.json").read_text())["test"]
    (tmp_path / "here").mkdir()
    shutil.copy(there / "run/dev-best.ckpt", tmp_path / "here")
    shutil.rmtree(there)
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here/dev-best.ckpt", scores


def test_it_scores_and_names_a_song_from_anywhere(head, run_downstream, tmp_path, capsys):
    path, expected = head
    generator = pretrained(tmp_path / "other.ckpt", 2)
    soundfile.write("song.wav", clip(("high tone",), generator, seconds=2), SAMPLE_RATE)
    run_downstream("-m", "inference", "-e", "dev-best.ckpt", "-t", "song.wav")
    assert "song\n  0." in capsys.readouterr().out
    run_downstream("-m", "evaluate", "-e", "dev-best.ckpt")
    scores = json.loads((path.parent / "scores.json").read_text())["test"]  # written where the head lies now
    assert scores == expected
    assert scores["upstream_heard"]["data_set"] == "some set"
    assert not (tmp_path / "there").exists()


def test_another_upstream_is_warned_of(head, run_downstream, tmp_path, caplog):
    path, expected = head
    pretrained(tmp_path / "other.ckpt", 2)
    run_downstream("-m", "evaluate", "-e", path, "-k", tmp_path / "other.ckpt")
    assert "other.ckpt: not the checkpoint that the head was trained on" in caplog.text
    scores = json.loads((path.parent / "scores.json").read_text())["test"]
    assert scores["upstream_ckpt"] == str(tmp_path / "other.ckpt")
    assert scores["loss"] != expected["loss"]


def test_it_goes_on_and_keeps_what_it_carries(head, run_downstream):
    path, _ = head
    run_downstream("-m", "train", "-e", path, "-o", "config.runner.total_steps=2")
    states = torch.load(path.parent / "states-2.ckpt", weights_only=True)
    assert set(states["Upstream_File"]["states"]) == {"Method", "Upstream_Config", "Upstream", "Heard"}
    assert states["Args"].expdir == str(path.parent)


def test_the_weights_that_ship_are_carried_too(store, run_downstream, tmp_path):
    settings = [f"config.runner.{key}=1" for key in ("total_steps", "eval_step", "save_step", "log_step")]
    settings += [f"config.downstream_expert.datarc.store={store}"]
    flags = ("-m", "train", "-u", "pemr", "-d", "music_tagging", "-p", tmp_path / "run")
    run_downstream(*flags, "-o", ",,".join(settings))
    head = tmp_path / "run/dev-best.ckpt"
    run_downstream("-m", "evaluate", "-e", head)
    expected = json.loads((tmp_path / "run/scores.json").read_text())["test"]
    states = torch.load(head, weights_only=True)
    kept = states["Upstream_File"]
    assert kept["path"] == states["Args"].upstream_ckpt == str(shipped_weights("pemr"))
    # as in another installation, whose package lies elsewhere
    kept["path"] = states["Args"].upstream_ckpt = "/nowhere/pemr.json"
    torch.save(states, tmp_path / "moved.ckpt")
    run_downstream("-m", "evaluate", "-e", tmp_path / "moved.ckpt")
    scores = json.loads((tmp_path / "scores.json").read_text())["test"]
    assert (scores["loss"], scores["roc_auc"]) == (expected["loss"], expected["roc_auc"])
    assert scores["upstream_heard"]["data_set"] == expected["upstream_heard"]["data_set"] == "game music"
