"""What a tree of files is taken for, and what is said of the rest."""

import os
from pathlib import Path

import pytest

from s3prl_pemr.prepare.walk import suffix_of, walk
from s3prl_pemr.store.index import StoreError


@pytest.fixture
def make(tmp_path):
    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return make


def found(root):
    return [path.relative_to(root).as_posix() for path in walk(root).files]


def test_names_that_begin_with_a_dot_are_taken(make):
    names = [".5: The Gray Chapter/01.mp3", ".hidden.wav", "...And Justice for All/Blackened.flac", ".mp3"]
    root = make(*names)
    assert found(root) == sorted(names)
    assert list(walk(root).named_audio()) == sorted(names)
    assert walk(root).left_out == {}


def test_litter_is_left_out_and_named(make):
    root = make("._a.mp3", "x/._b.mp3", "a.mp3", ".DS_Store", ".Trash-1000/files/old.mp3", "x/.git/HEAD")
    assert found(root) == ["a.mp3"]
    assert sorted(walk(root).remarks()) == [
        "2 AppleDouble files, left out: ._a.mp3 | x/._b.mp3",
        "3 files and folders that systems and programs leave behind, left out: "
        ".DS_Store | .Trash-1000 | x/.git",
    ]


def test_links_that_lead_nowhere_are_named(make):
    root = make("a.mp3")
    (root / "gone").symlink_to(root / "missing")
    (root / "gone.wav").symlink_to(root / "missing.wav")
    (root / "self").symlink_to(root / "self")
    (root / "through").symlink_to(root / "a.mp3" / "x")
    assert found(root) == ["a.mp3", "gone.wav"]  # audio by its name: it becomes an unreadable track
    assert walk(root).remarks() == ["4 links lead nowhere: gone | gone.wav | self | through"]


def test_a_loop_of_links_ends_and_is_named(make):
    root = make("one/a.mp3", "two/b.mp3")
    (root / "one" / "to-two").symlink_to(root / "two")
    (root / "two" / "to-one").symlink_to(root / "one")
    (root / "two" / "to-root").symlink_to(root)
    assert found(root) == ["one/a.mp3", "one/to-two/b.mp3"]
    assert walk(root).remarks() == [
        "3 folders that links lead to a second time, read once: one/to-two/to-one | one/to-two/to-root | two"
    ]


def test_folders_that_cannot_be_read_are_named(make, monkeypatch):
    root = make("locked/a.mp3", "open/b.mp3")
    real = os.scandir

    def scandir(folder):
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    assert found(root) == ["open/b.mp3"]
    assert walk(root).remarks() == ["1 folders cannot be read (Permission denied): locked"]
    with pytest.raises(StoreError, match="locked: cannot be read .Permission denied"):
        walk(root / "locked")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_no_file(make):
    root = make("a.mp3")
    os.mkfifo(root / "pipe.wav")  # to open it waits for ever
    assert found(root) == ["a.mp3"]
    assert walk(root).remarks() == ["1 pipes, sockets or devices, left out: pipe.wav"]


def test_suffixes():
    names = {"a.MP3": ".mp3", ".mp3": ".mp3", "...wav": ".wav", "a": "", "x/.y/a.b.flac": ".flac"}
    assert {name: suffix_of(Path(name)) for name in names} == names
