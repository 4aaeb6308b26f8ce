"""`prepare --shard I/N` and `prepare join`: the same store, whatever the number of parts."""

import json
import pickle
import shutil

import numpy as np
import pytest
import soundfile
from prepare_fixtures import noise

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.groups import read_groups
from s3prl_pemr.store.parts import Shard


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """24 tracks in three folders, and one file that cannot be read."""
    root = tmp_path_factory.mktemp("tree")
    for number in range(24):
        path = root / f"album {number % 3}" / f"{number}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, noise(0.1 + number / 100, number), 22050)
    (root / "broken.wav").write_text("none")
    return root


def prepare(*arguments):
    return main(list(map(str, arguments)))


def make_parts(tree, folder, of):
    parts = [folder / f"part{number}" for number in range(1, of + 1)]
    for number, part in enumerate(parts, start=1):
        options = ("--label-by-folder", "--split-by", "50/25/25", "--jobs", 1, "--shard", f"{number}/{of}")
        assert prepare("folder", tree, part, *options) == 0
    return parts


@pytest.fixture(scope="module")
def parts(tree, tmp_path_factory):
    return make_parts(tree, tmp_path_factory.mktemp("parts"), 3)


@pytest.fixture(scope="module")
def whole(tree, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "store"
    assert prepare("folder", tree, path, "--label-by-folder", "--split-by", "50/25/25", "--jobs", 1) == 0
    return AudioStore(path)


def test_tracks_fall_to_parts_by_their_names_alone():
    names = [f"{number}.mp3" for number in range(1000)]
    held = [[shard.holds(name) for name in names] for shard in (Shard(i, 4) for i in range(1, 5))]
    assert (np.sum(held, axis=0) == 1).all()
    assert min(map(sum, held)) > 200


def test_a_joined_store_is_the_whole_one(parts, whole, tree, tmp_path, capsys):
    assert prepare("join", tmp_path / "joined", *parts) == 0
    assert "3 parts, 24 tracks, 0.00 hours, 1 unreadable" in capsys.readouterr().out
    joined = AudioStore(tmp_path / "joined")
    assert joined.fingerprint == whole.fingerprint
    assert (joined.tracks, joined.splits, joined.labels) == (whole.tracks, whole.splits, whole.labels)
    starts = np.arange(len(whole)) * 10
    crops = whole.gather(range(len(whole)), starts, 3000)
    assert np.array_equal(joined.gather(range(len(whole)), starts, 3000), crops)
    again = pickle.loads(pickle.dumps(joined))
    assert np.array_equal(again.gather(range(len(whole)), starts, 3000), crops)
    assert not any(path.suffix == ".i16" for path in (tmp_path / "joined").iterdir())
    assert read_groups(tmp_path / "joined") == read_groups(whole.path)


def test_it_does_not_depend_on_the_number_of_parts(tree, whole, tmp_path):
    parts = make_parts(tree, tmp_path, 2)
    assert prepare("join", tmp_path / "joined", *reversed(parts)) == 0
    assert AudioStore(tmp_path / "joined").fingerprint == whole.fingerprint


def test_stores_of_their_own_may_be_joined(tree, tmp_path):
    for name in ("album 0", "album 1"):
        assert prepare("folder", tree / name, tmp_path / name, "--jobs", 1) == 0
    (tmp_path / "album 1" / "dataset.json").write_bytes((tmp_path / "album 0" / "dataset.json").read_bytes())
    assert prepare("join", tmp_path / "joined", tmp_path / "album 0", tmp_path / "album 1") == 0
    assert len(AudioStore(tmp_path / "joined")) == 16


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ((0, 2), "parts 2 of 3 are missing"),
        ((0, 1, 2, 2), "is in"),
        ((0, 0, 1, 2), "is in"),
    ],
)
def test_parts_that_are_no_whole_are_refused(parts, tmp_path, capsys, chosen, message):
    assert prepare("join", tmp_path / "joined", *(parts[number] for number in chosen)) == 1
    error = capsys.readouterr().err
    assert message in error or "one is named twice" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "joined" / "store.json").exists()


def test_parts_of_two_listings_are_refused(parts, tree, tmp_path, capsys):
    shutil.copytree(tree, tmp_path / "tree")
    (tmp_path / "tree" / "album 0" / "0.wav").unlink()
    other = make_parts(tmp_path / "tree", tmp_path, 3)
    assert prepare("join", tmp_path / "joined", *parts[:2], other[2]) == 1
    assert "not of one listing" in capsys.readouterr().err


def test_a_part_that_is_gone_is_named(parts, tmp_path):
    assert prepare("join", tmp_path / "joined", *parts) == 0
    state = json.loads((tmp_path / "joined" / "store.json").read_text())
    state["parts"][1] = "elsewhere"
    (tmp_path / "joined" / "store.json").write_text(json.dumps(state))
    with pytest.raises(ValueError, match="its part .*elsewhere is not there; put it back, or"):
        AudioStore(tmp_path / "joined")


def test_verify_goes_through_all_parts(tree, tmp_path, capsys):
    parts = make_parts(tree, tmp_path, 2)
    assert prepare("join", tmp_path / "joined", *parts) == 0
    assert prepare("verify", tmp_path / "joined") == 0
    with (parts[1] / "audio.i16").open("r+b") as file:
        file.write(b"\x55")
    assert prepare("verify", tmp_path / "joined", "--repair") == 1
    assert "1 of 24 tracks are damaged" in capsys.readouterr().err
    assert make_parts(tree, tmp_path, 2) == parts  # decodes it anew
    assert prepare("verify", tmp_path / "joined") == 0


def test_more_parts_than_tracks_is_one_line(tree, tmp_path, capsys):
    statuses = [prepare("folder", tree, tmp_path / str(i), "--shard", f"{i}/200") for i in range(1, 4)]
    assert 1 in statuses
    assert "falls to part" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        prepare("folder", tree, tmp_path / "x", "--shard", "4/3")
