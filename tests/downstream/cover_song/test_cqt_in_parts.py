"""The CQT of a store in parts: computed beside each part, by its own command, on a cluster."""

import os
import pickle
import signal

import numpy as np
import pytest
from cover_store import cover_store, polyphony
from s3prl.downstream.cover_song.cqt import cache
from s3prl.downstream.cover_song.cqt.cache import CqtCache
from s3prl.downstream.cover_song.cqt.joined import JoinedCqt, columns_of

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.store import AudioStore


def prepare(*words):
    assert main([str(word) for word in words]) == 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    tracks = {f"take{n}": ("work", "train", polyphony(2 + n, 16_000)) for n in range(6)}
    store = AudioStore(cover_store(tmp_path_factory.mktemp("whole"), tracks))
    CqtCache(store, jobs=1)
    return store


def columns(cqt, store):
    return {track: cqt.read(row).tobytes() for row, track in enumerate(store.tracks)}


@pytest.mark.parametrize("of", [1, 3])
def test_columns_do_not_depend_on_the_number_of_parts(whole, tmp_path, of, capsys):
    parts = [tmp_path / str(number) for number in range(1, of + 1)]
    for number, part in enumerate(parts, start=1):
        source = whole.path.parent / "SRC"
        prepare("folder", source, part, "--labels", whole.path.parent / "labels.tsv", "--jobs", 1,
                "--shard", f"{number}/{of}")  # fmt: skip
    prepare("cqt", parts[0], "--jobs", 1)
    assert "CQT of" in capsys.readouterr().out
    prepare("join", tmp_path / "J", *parts)
    joined = AudioStore(tmp_path / "J")
    found = columns_of(joined, jobs=1)  # those of the other parts are computed now
    assert isinstance(found, JoinedCqt) and not (tmp_path / "J" / "cqt").exists()
    assert all((part / "cqt").exists() for part in parts)
    assert columns(found, joined) == columns(CqtCache(whole), whole)
    row = joined.tracks.index("take4.wav")
    assert found.columns[row] == found.read(row).shape[1]
    np.testing.assert_array_equal(found.read(row, 3, 5), found.read(row)[:, 3:8])
    assert columns(pickle.loads(pickle.dumps(found)), joined) == columns(found, joined)


def test_columns_that_a_joined_store_has_already_are_used(whole, tmp_path):
    prepare("join", tmp_path / "J", whole.path)
    joined = AudioStore(tmp_path / "J")
    CqtCache(joined, jobs=1)
    assert isinstance(columns_of(joined), CqtCache)


def test_a_cluster_computes_the_same(cluster, whole, tmp_path, monkeypatch):
    """A worker that is killed is replaced."""
    wanted = columns(CqtCache(whole), whole)
    real, mark = cache._compute, tmp_path / "mark"

    def killed_once(track):
        if track.name.startswith("take3") and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return real(track)

    monkeypatch.setattr(cache, "_compute", killed_once)
    monkeypatch.setattr(cache, "FOLDER", "cqt of a cluster")
    assert columns(CqtCache(whole, engine="ray"), whole) == wanted
    assert mark.exists()
