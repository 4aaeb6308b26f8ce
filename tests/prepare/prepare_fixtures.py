"""A folder of audio with every kind of bad file, and its store: shared by the tests of prepare."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from s3prl_pemr.prepare.__main__ import main

ODD_NAME = "rock/drei \"quotes\" and 'ü'.flac"


def noise(seconds, seed=0):
    return np.random.default_rng(seed).standard_normal(round(seconds * 22050)) * 0.1


def make_folder(root):
    """12 readable tracks, and a file of every kind that is not."""
    for folder in ("rock", "jazz/live", ".Trash"):
        (root / folder).mkdir(parents=True)
    for number in range(8):
        soundfile.write(root / "jazz" / "live" / f"{number}.wav", noise(0.5 + number / 10, number), 22050)
    soundfile.write(root / "rock" / "a.mp3", noise(2), 22050)
    soundfile.write(root / ODD_NAME, noise(1), 22050)
    soundfile.write(root / "silent.ogg", np.zeros(22050), 22050)
    soundfile.write(root / "loud.wav", noise(1) * 20, 22050, subtype="FLOAT")
    # not to be listed
    soundfile.write(root / ".Trash" / "x.wav", noise(1), 22050)
    (root / "jazz" / "._0.wav").write_bytes(b"AppleDouble")
    (root / "cover.jpg").touch()
    (root / "notes.txt").touch()
    # unreadable
    (root / "empty.mp3").touch()
    (root / "text.wav").write_text("not a sound")
    (root / "song.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    soundfile.write(root / "nan.wav", np.array([0.0, np.nan, 0.5]), 16000, subtype="FLOAT")
    data = (root / "rock" / "a.mp3").read_bytes()
    (root / "cut.mp3").write_bytes(data[: len(data) // 2])
    (root / "link.wav").symlink_to(root / "gone.wav")
    return root


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("folder") / "SRC")


@pytest.fixture(scope="module")
def finished(folder):
    """The store as one uninterrupted run with one worker writes it."""
    path = folder.parent / "finished"
    assert prepare(folder, path, "--jobs", "1") == 0
    return path


@pytest.fixture
def own_folder(folder, tmp_path):
    return Path(shutil.copytree(folder, tmp_path / "SRC", symlinks=True))


def prepare(source, destination, *options):
    return main(["folder", str(source), str(destination), *options])


def tables(path):
    return {name: (path / name).read_bytes() for name in ("audio.i16", "index.tsv", "unreadable.tsv")}


def error_line(capsys):
    """What the user sees on stderr below the progress bar: one line."""
    lines = [
        line
        for line in capsys.readouterr().err.split("\n")
        if line.startswith("prepare: ") and "|" not in line
    ]
    assert len(lines) == 1
    return lines[0]
