"""Ten thousand short files, and a file of two hours: counted whole, in memory that is bounded."""

import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from places import ROOT

from s3prl_pemr.index import open_index
from s3prl_pemr.store import AudioStore

FILES, HOURS = 10_000, 2
MOST_GB = 2.0  # of any one process


def measured(words, folder):
    """A command's output and the memory of the largest of its processes, GB."""
    command = [sys.executable, "-m", "s3prl_pemr", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:  # fmt: skip
        printed = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, printed[-2_000:]
    return printed, used.ru_maxrss / 1e6


@pytest.mark.torture
def test_ten_thousand_files_of_a_second(tmp_path, report):
    rng = np.random.default_rng(0)
    noise = (0.1 * rng.standard_normal(16_000 + FILES)).astype(np.float32)
    for number in range(FILES):
        place = tmp_path / "SRC" / f"{number // 100:02d}"
        place.mkdir(parents=True, exist_ok=True)
        soundfile.write(place / f"{number}.wav", noise[number : number + 16_000], 16_000)
    words = ["prepare", "folder", "SRC", "STORE", "--jobs", 2]
    printed, gigabytes = measured(words, tmp_path)
    store = AudioStore(tmp_path / "STORE")
    assert len(store) == FILES
    assert set(store.length_samples.tolist()) == {16_000}
    assert "0 unreadable" in printed
    before = (tmp_path / "STORE/store.json").stat().st_mtime_ns
    again, _ = measured(words, tmp_path)
    assert "0 to do" in again
    assert (tmp_path / "STORE/store.json").stat().st_mtime_ns == before
    report(f"{FILES} files: stored whole, {gigabytes:.2f} GB at most in a process")
    assert gigabytes < MOST_GB


@pytest.fixture(scope="module")
def long_file(tmp_path_factory):
    """Two hours of stereo at 44.1 kHz, as a concert is recorded: a minute of chords, in many keys."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "SRC").mkdir()
    time = np.arange(44_100 * 60) / 44_100
    with soundfile.SoundFile(folder / "SRC/concert.flac", "w", 44_100, 2, compression_level=0) as file:
        for minute in range(60 * HOURS):
            hertz = 110 * 2 ** ((7 * minute % 12) / 12)
            wav = 0.2 * (np.sin(2 * np.pi * hertz * time) + np.sin(3 * np.pi * hertz * time))
            file.write(np.stack([wav, 0.5 * wav], axis=1))
    return folder


@pytest.mark.torture
@pytest.mark.parametrize("command", ["prepare", "embed", "covers"])
def test_a_file_of_two_hours(long_file, command, report):
    words = {
        "prepare": ["prepare", "folder", "SRC", "STORE", "--jobs", 2],
        "embed": ["embed", "SRC", "VECTORS", "--device", "cpu", "--jobs", 1],
        "covers": ["covers", "embed", "SRC", "INDEX", "--device", "cpu", "--jobs", 1],
    }[command]
    _, gigabytes = measured(words, long_file)
    if command == "prepare":
        assert AudioStore(long_file / "STORE").length_samples.tolist() == [HOURS * 3_600 * 16_000]
    if command == "embed":
        (vectors,) = (np.load(path) for path in (long_file / "VECTORS").rglob("*.npz"))
        assert len(vectors["embedding"]) == round(HOURS * 3_600 * 16_000 / 16_384)
    if command == "covers":
        assert len(open_index(long_file / "INDEX").names()) == 1
    report(f"{command} of {HOURS} hours: {gigabytes:.2f} GB at most in a process")
    assert gigabytes < MOST_GB
