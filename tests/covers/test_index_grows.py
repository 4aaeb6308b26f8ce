"""An index grows: one file of a version before becomes a folder; parts are joined; a cluster reads files."""

import os
import signal

import numpy as np
import pytest
from cover_store import cover_store, version
from test_covers_names import Model, known
from written import write_index, write_single_file

from s3prl_pemr.covers import embed, index
from s3prl_pemr.covers.__main__ import main as covers
from s3prl_pemr.covers.index import read_index, take_over


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Eight works, two versions each."""
    tracks = {
        f"{number}_{work}": (f"song {work}", "test", version(work, number, 4))
        for work in range(8)
        for number in range(2)
    }
    return cover_store(tmp_path_factory.mktemp("music"), tracks).parent / "SRC"


def old_file(path):
    embeddings = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    tracks, stamps = [f"{row}\n.mp3" for row in range(5)], np.arange(10).reshape(5, 2)
    write_single_file(path, tracks, list(map(known, embeddings)), stamps, Model.fingerprint, "m.ckpt")
    return rows_of(path)


def rows_of(path):
    found = read_index(path)
    return {
        track: (stamp.tolist(), own.embedding.tolist(), own.chroma.tolist(), own.pieces.tolist())
        for track, stamp, own in zip(found.tracks, found.stamps, found.known, strict=True)
    }


def test_an_index_in_one_file_is_read_and_taken_over(tmp_path):
    before = old_file(tmp_path / "INDEX")
    take_over(tmp_path / "INDEX")
    assert (tmp_path / "INDEX").is_dir() and rows_of(tmp_path / "INDEX") == before
    take_over(tmp_path / "INDEX")
    assert [path.name for path in tmp_path.iterdir()] == ["INDEX"]


@pytest.mark.parametrize("at", [0, 1])
def test_a_kill_while_it_is_taken_over(tmp_path, monkeypatch, at):
    """Before the file is moved away, or before the folder has its place."""
    before, calls = old_file(tmp_path / "INDEX"), []
    real = index.Path.rename

    def rename(self, target):
        calls.append(target)
        if len(calls) == at + 1:
            raise KeyboardInterrupt
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(index.Path, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            take_over(tmp_path / "INDEX")
    assert (tmp_path / "INDEX").exists() == (at == 0)
    take_over(tmp_path / "INDEX")
    assert rows_of(tmp_path / "INDEX") == before
    assert [path.name for path in tmp_path.iterdir()] == ["INDEX"]


def test_embed_adds_to_an_index_in_one_file(music, tmp_path, run):
    command = ("embed", music, tmp_path / "INDEX", "--model", "ftm2d", "--jobs", 1, "--device", "cpu")
    assert run(*command)[0] == 0
    made = read_index(tmp_path / "INDEX")
    tracks, stamps = made.tracks[:10], made.stamps[:10]
    write_single_file(tmp_path / "old", tracks, list(made.known)[:10], stamps, made.made_by, made.model)
    _, out, _ = run("embed", music, tmp_path / "old", *command[3:])
    assert "old: 16 tracks, 6 of them new" in out
    assert rows_of(tmp_path / "old") == rows_of(tmp_path / "INDEX")


def embedded(music, folder, *words):
    command = ["embed", music, folder, "--model", "ftm2d", "--device", "cpu", *words]
    assert covers([str(word) for word in command]) == 0
    return folder


def answers(path, query, capsys):
    """What identify says, without what it says of the time."""
    capsys.readouterr()
    assert covers(["identify", str(query), str(path), "--json", "--device", "cpu"]) == 0
    return capsys.readouterr().out


def test_answers_do_not_depend_on_the_number_of_parts(music, tmp_path, capsys):
    query, whole = music / "0_3.wav", embedded(music, tmp_path / "whole")
    wanted = answers(whole, query, capsys)
    for of in (2, 3):
        parts = [embedded(music, tmp_path / f"{n}.{of}", "--shard", f"{n}/{of}") for n in range(1, of + 1)]
        assert covers(["join", str(tmp_path / f"of {of}"), *map(str, parts)]) == 0
        assert answers(tmp_path / f"of {of}", query, capsys) == wanted
        assert rows_of(tmp_path / f"of {of}") == rows_of(whole)
    with pytest.raises(SystemExit, match="parts 3 of 3 are missing"):
        covers(["join", str(tmp_path / "J"), *map(str, parts[:2])])
    with pytest.raises(SystemExit, match="stands for indexes in parts; add to one of those"):
        embedded(music, tmp_path / "of 3")


def test_a_cluster_reads_the_same(cluster, music, tmp_path, monkeypatch):
    """One worker is killed at its first attempt at a file; the file is read by another."""
    real, mark = embed.hear, tmp_path / "mark"

    def killed_once(path):
        if path.endswith("5.wav") and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return real(path)

    monkeypatch.setattr(embed, "hear", killed_once)
    there = embedded(music, tmp_path / "ray", "--engine", "ray")
    monkeypatch.setattr(embed, "hear", real)
    assert mark.exists()
    assert rows_of(there) == rows_of(embedded(music, tmp_path / "here"))


def test_a_folder_of_something_else_is_refused(music, tmp_path):
    write_index(tmp_path / "I", "a", [known([1, 1])], [(0, 0)], Model.fingerprint, "m.ckpt")
    (tmp_path / "I" / "index.json").unlink()
    embedded(music, tmp_path / "I")  # a kill before the first manifest leaves segments alone
    (tmp_path / "I" / "index.json").unlink()
    (tmp_path / "I" / "notes.txt").touch()
    with pytest.raises(SystemExit, match="holds something else"):
        embedded(music, tmp_path / "I")
