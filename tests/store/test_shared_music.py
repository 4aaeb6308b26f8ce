"""The same audio, song or artist in two splits."""

import logging

import numpy as np
import pytest
from labelled_store import make_store
from split_store import split_store

from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.groups import Group, write_groups
from s3prl_pemr.store.index import Stamp
from s3prl_pemr.store.shared_music import shared_lines
from s3prl_pemr.store.writer import StoreWriter


@pytest.fixture
def write(tmp_path):
    """A store of {track: (split, samples, note)}."""

    def make(tracks):
        writer = StoreWriter(tmp_path)
        writer.begin()
        for track, (split, samples, note) in tracks.items():
            writer.add(track, np.asarray(samples, np.int16), split, (), note, Stamp())
        writer.finish()
        writer.close()
        return AudioStore(tmp_path)

    return make


def test_the_same_recording_in_two_splits(write, tmp_path):
    silence = "silent"
    store = write({
        "a": ("train", [1, 2, 3], ""), "b": ("train", [1, 2, 3], ""), "c": ("test", [1, 2, 3], ""),
        "d": ("valid", [4, 5, 6], ""), "e": ("test", [4, 5, 6], ""), "f": ("", [7, 7, 7], ""),
        "g": ("train", [7, 7, 7], ""), "h": ("train", [0, 0, 0], silence), "i": ("test", [0, 0, 0], silence),
        "j": ("test", [1, 2, 4], ""),
    })  # fmt: skip
    line = f"{tmp_path}: recordings that two splits share: "
    assert shared_lines(store) == [line + "1 in test and train, 1 in test and valid; for instance c and a"]
    assert shared_lines(store, ["train", "valid"]) == []


def test_a_checksum_that_two_recordings_have_by_chance_is_no_copy(write):
    store = write({"a": ("train", [1, 2, 3], ""), "b": ("test", [9, 8, 7], "")})
    store.crc32[:] = 5
    assert shared_lines(store) == []


def test_songs_and_artists_in_two_splits(tmp_path):
    folder = split_store(tmp_path / "store", ["train", "train", "test", "test", "valid"])
    groups = {"00000.wav": Group("x", "x1"), "00001.wav": Group("y", "y1"), "00002.wav": Group("x", "x1"),
              "00003.wav": Group("x", "x2"), "00004.wav": Group("", "")}  # fmt: skip
    write_groups(folder, groups)
    assert shared_lines(AudioStore(folder)) == [
        f"{folder}: songs that two splits share: 1 in test and train; for instance 00002.wav and 00000.wav",
        f"{folder}: artists that two splits share: 1 in test and train; for instance 00002.wav and 00000.wav",
    ]


def test_prepare_and_training_say_so(tmp_path, capsys, caplog):
    from s3prl.downstream.music_tagging.expert import DownstreamExpert

    wav = np.random.default_rng(0).uniform(-0.5, 0.5, (4, 4_000))
    clips = {
        f"{n}": ((f"tag{n % 2}",), split, wav[n % 4]) for n, split in enumerate(["train"] * 4 + ["valid"] * 4)
    }
    store = make_store(tmp_path, clips)
    line = "recordings that two splits share: 4 in train and valid; for instance 0.wav and 4.wav"
    assert f"WARNING: {store}: {line}" in capsys.readouterr().out
    caplog.set_level(logging.WARNING)
    DownstreamExpert(
        upstream_dim=4, upstream_rate=160, downstream_expert={"datarc": {"store": str(store)}},
        runner={"eval_dataloaders": ["dev"]}, expdir=str(tmp_path),
    )  # fmt: skip
    assert line in caplog.text


def test_pretraining_says_so_where_it_leaves_a_split_out(tmp_path, caplog):
    from s3prl.pretrain.training.expert import UpstreamPretrainExpert

    rng = np.random.default_rng(0)
    wav = rng.uniform(-0.5, 0.5, (3, 4_000))
    clips = {f"{n}": (("a",), split, wav[n % 3]) for n, split in enumerate(["train"] * 3 + ["test"])}
    store = make_store(tmp_path, clips)
    for split, count in (("auto", 1), ("all", 0)):
        caplog.clear()
        UpstreamPretrainExpert({"store": str(store), "train_batch_size": 2, "split": split}, {}, device="cpu")
        assert caplog.text.count("recordings that two splits share: 1 in test and train") == count
