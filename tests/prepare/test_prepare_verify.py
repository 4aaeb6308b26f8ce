"""Damage in a store is found, and a changed or damaged track is replaced alone."""

import json
import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import prepare_fixtures
import pytest
import soundfile
from prepare_fixtures import noise, prepare

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.store import AudioStore, StoreError, compaction
from s3prl_pemr.store.index import read_index
from s3prl_pemr.store.writer import StoreWriter

folder, finished, own_folder = prepare_fixtures.folder, prepare_fixtures.finished, prepare_fixtures.own_folder


@pytest.fixture
def store(finished, tmp_path):
    return Path(shutil.copytree(finished, tmp_path / "DST"))


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def test_a_flipped_bit_is_found_and_its_track_decoded_anew(folder, finished, store, capsys):
    assert main(["verify", str(store)]) == 0
    assert "all 12 tracks are as they were written" in capsys.readouterr().out
    entries, _ = read_index(store / "index.tsv")
    flip(store / "audio.i16", 2 * entries[4].offset_samples + 77)
    assert main(["verify", str(store)]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert f"1 of 12 tracks are damaged: {entries[4].track}; run prepare with --rebuild, or verify" in line
    assert main(["verify", str(store), "--repair"]) == 1
    assert "marked: the same prepare command again" in capsys.readouterr().err
    assert prepare(folder, store) == 0
    assert f"1 have changed and are replaced: {entries[4].track}" in capsys.readouterr().out
    assert main(["verify", str(store)]) == 0
    repaired, before = AudioStore(store), AudioStore(finished)
    assert sorted(repaired.tracks) == sorted(before.tracks)
    for number, track in enumerate(repaired.tracks):
        np.testing.assert_array_equal(repaired.read(number), before.read(before.tracks.index(track)))


def test_a_changed_source_is_replaced_and_the_others_are_not_decoded(
    own_folder, tmp_path, capsys, monkeypatch
):
    destination = tmp_path / "DST"
    assert prepare(own_folder, destination) == 0
    old = AudioStore(destination)
    soundfile.write(own_folder / "rock/a.mp3", noise(3, seed=9), 22050)
    capsys.readouterr()
    assert prepare(own_folder, destination) == 0
    out = capsys.readouterr().out
    assert (
        "1 have changed and are replaced: rock/a.mp3" in out
        and "11 stored, 6 known as unreadable, 1 to do" in out
    )
    new = AudioStore(destination)
    assert new.tracks == [track for track in old.tracks if track != "rock/a.mp3"] + ["rock/a.mp3"]
    assert new.length_samples[-1] > old.length_samples[old.tracks.index("rock/a.mp3")]
    assert main(["verify", str(destination)]) == 0


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_kill_while_tracks_are_taken_out(store, finished, monkeypatch, renamed):
    """Before the first of the two renames, between them, and behind both."""
    entries, _ = read_index(store / "index.tsv")

    def drop():
        done, replace = [], Path.replace

        def dying(path, target):
            if compaction.SUFFIX in path.name:
                if len(done) == renamed:
                    os.kill(os.getpid(), signal.SIGKILL)
                done.append(path)
            return replace(path, target)

        Path.replace = dying
        compaction.drop_tracks(store, entries, {entries[3].track})
        os.kill(os.getpid(), signal.SIGKILL)

    child = multiprocessing.get_context("fork").Process(target=drop)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    writer = StoreWriter(store)
    left = [entry.track for entry in entries if renamed == 0 or entry.track != entries[3].track]
    assert [entry.track for entry in writer.entries] == left
    assert not list(store.glob(f"*{compaction.SUFFIX}"))
    assert main(["verify", str(store)]) == 0


def test_a_store_cut_off_while_it_is_read_is_an_error_and_no_signal(store):
    reader = AudioStore(store)
    os.truncate(store / "audio.i16", 1000)
    with pytest.raises(StoreError, match=r"audio.i16: has been cut off since; copy it again"):
        reader.read(11)
    with pytest.raises(StoreError, match="1000 bytes, but index.tsv says"):
        AudioStore(store)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("index.tsv", None, "index.tsv: cannot be read .No such file"),
        ("index.tsv", b"", "holds no tracks"),
        ("index.tsv", b"\xff\x00\n", "not a table of an audio store"),
        ("store.json", b"[]", "store.json: damaged"),
        ("store.json", b"7", "store.json: damaged"),
        ("store.json", b"{", "store.json: damaged"),
        ("store.json", b"\xff\xfe", "store.json: damaged"),
        ("audio.i16", None, "audio.i16: 0 bytes"),
    ],
)
def test_broken_small_files_are_one_line(store, name, content, message):
    if content is None:
        (store / name).unlink()
    else:
        (store / name).write_bytes(content)
    with pytest.raises(StoreError, match=message) as caught:
        AudioStore(store)
    assert "\n" not in str(caught.value)


def test_an_unknown_escape_in_the_index_is_one_line(store):
    index = store / "index.tsv"
    index.write_bytes(index.read_bytes().replace(b"jazz/live/0", b"jazz\\q/live/0"))
    with pytest.raises(StoreError, match="index.tsv: line 2 is malformed; run prepare with --rebuild"):
        AudioStore(store)


@pytest.mark.parametrize("content", [b"[]", b"{}", b"7", b'"x"', b"{", b"\xff", b'{"name": 3, "split": []}'])
def test_a_broken_data_set_name_is_one_line(store, content):
    from s3prl_pemr.store.dataset_name import read_dataset_name

    (store / "dataset.json").write_bytes(content)
    with pytest.raises(StoreError, match="dataset.json: damaged"):
        read_dataset_name(store)
    assert json.loads((store / "store.json").read_text())["complete"]
