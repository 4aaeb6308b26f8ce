import errno
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from contextlib import contextmanager
from pathlib import Path

import prepare_fixtures
import pytest
from prepare_fixtures import error_line, prepare, tables

from s3prl_pemr.prepare import build, space
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.safety import whole_file
from s3prl_pemr.store import AudioStore, writer
from s3prl_pemr.store.dataset_name import DatasetName
from s3prl_pemr.store.index import read_unreadable
from s3prl_pemr.store.writer import StoreWriter

folder, finished = prepare_fixtures.folder, prepare_fixtures.finished

PLACE = "choose a place that may be written and read"
ONE_JOB = build.BuildOptions(jobs=1)
FORKED = multiprocessing.get_context(
    "fork"
)  # a child of the tests, to be killed; it inherits what is patched


def test_kill_9_from_outside_and_again(folder, finished, tmp_path, monkeypatch):
    destination = tmp_path / "DST"
    monkeypatch.setattr(writer, "COMMIT_SECONDS", 0)
    add = StoreWriter.add
    with monkeypatch.context() as slow:
        slow.setattr(StoreWriter, "add", lambda self, *args: (time.sleep(0.05), add(self, *args)))
        child = FORKED.Process(target=prepare, args=(folder, destination, "--jobs", "2"))
        child.start()
        index = destination / "index.tsv"
        while not index.exists() or index.read_bytes().count(b"\n") < 5:
            assert child.is_alive()
            time.sleep(0.005)
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children")
        workers = [Path("/proc", pid) for pid in children.read_text().split()] if children.exists() else []
        child.kill()
        child.join()
    assert child.exitcode == -signal.SIGKILL
    kept = index.read_bytes().count(b"\n") - 1
    assert 4 <= kept < 12
    # The lock does not outlive the killed process, even while its workers still do.
    assert prepare(folder, destination) == 0
    assert tables(destination) == tables(finished)
    deadline = time.monotonic() + 10
    while any(worker.exists() for worker in workers):
        assert time.monotonic() < deadline, "orphaned workers"
        time.sleep(0.1)


@pytest.mark.parametrize("name", ["audio.i16", "index.tsv", "unreadable.tsv", "store.json.partial"])
def test_kill_9_in_the_middle_of_each_file(folder, finished, tmp_path, monkeypatch, name):
    destination = tmp_path / "DST"
    append, write = StoreWriter._append, writer._write_synced

    def half(path, content):
        with path.open("ab") as file:
            file.write(content[: len(content) // 2 + 1])
        os.kill(os.getpid(), signal.SIGKILL)

    def append_or_die(self, file_name, pieces):
        third_of_its_kind = len(self.entries if name != "unreadable.tsv" else self.unreadable) >= 3
        if file_name == name and third_of_its_kind and pieces:
            half(self.path / name, b"".join(pieces))
        append(self, file_name, pieces)

    def write_or_die(path, content):
        if path.name + ".partial" == name and b"true" in content:
            half(path.with_name(name), content)
        write(path, content)

    with monkeypatch.context() as deadly:
        deadly.setattr(writer, "COMMIT_SECONDS", 0)
        deadly.setattr(StoreWriter, "_append", append_or_die)
        deadly.setattr(writer, "_write_synced", write_or_die)
        child = FORKED.Process(target=prepare, args=(folder, destination, "--jobs", "1"))
        child.start()
        child.join()
    assert child.exitcode == -signal.SIGKILL
    with pytest.raises(ValueError, match="prepare was interrupted"):
        AudioStore(destination)
    assert prepare(folder, destination, "--jobs", "1") == 0
    assert tables(destination) == tables(finished)
    AudioStore(destination)


def test_a_half_written_tail_is_cut_off(folder, finished, tmp_path):
    destination = Path(shutil.copytree(finished, tmp_path / "DST"))
    for name, garbage in (
        ("audio.i16", b"\x01" * 12345),
        ("index.tsv", b"more/a.w"),
        ("unreadable.tsv", b"x\0"),
    ):
        with (destination / name).open("ab") as file:
            file.write(garbage)
    assert prepare(folder, destination) == 0
    assert tables(destination) == tables(finished)
    AudioStore(destination)


def test_ctrl_c_keeps_everything_and_says_how_to_go_on(folder, finished, tmp_path, monkeypatch, capsys):
    add = StoreWriter.add

    def add_and_interrupt(self, track, *args):
        add(self, track, *args)
        if track == "jazz/live/2.wav":
            os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as interrupting:
        interrupting.setattr(StoreWriter, "add", add_and_interrupt)
        assert prepare(folder, tmp_path / "DST", "--jobs", "2") == 130
    assert signal.getsignal(signal.SIGINT) is handler
    # cut.mp3 and empty.mp3 come before jazz/live/0.wav, 1.wav and 2.wav
    assert "interrupted: 5 of 18 tracks are done; run the same command again" in capsys.readouterr().err
    assert (tmp_path / "DST" / "index.tsv").read_text().count("\n") == 1 + 3
    assert prepare(folder, tmp_path / "DST") == 0
    assert tables(tmp_path / "DST") == tables(finished)


def test_one_prepare_at_a_time(folder, tmp_path, capsys):
    destination = tmp_path / "DST"
    destination.mkdir()
    holder = (
        "import fcntl, os, sys; f = open(sys.argv[1] + '/prepare.lock', 'w'); fcntl.lockf(f, fcntl.LOCK_EX);"
        "f.write(str(os.getpid())); f.flush(); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(destination)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        assert prepare(folder, destination) == 1
        assert f"DST: another command (process {process.pid}) is writing here" in error_line(capsys)
        process.stdin.close()
    assert prepare(folder, destination) == 0


def test_a_disk_that_is_too_small_stops_before_starting(folder, tmp_path, monkeypatch, capsys):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(space.shutil, "disk_usage", lambda path: usage(10, 9, 1_000_000))
    assert prepare(folder, tmp_path / "DST") == 1
    assert "0.00 GB are free; make room or choose another DST" in error_line(capsys)
    assert not (tmp_path / "DST" / "audio.i16").exists()


def test_a_disk_that_fills_up_keeps_what_is_stored(folder, finished, tmp_path, monkeypatch, capsys):
    append = StoreWriter._append

    def full(self, name, pieces):
        if len(self.entries) >= 4:
            raise OSError(28, "No space left on device")
        append(self, name, pieces)

    with monkeypatch.context() as small:
        small.setattr(writer, "COMMIT_SECONDS", 0)
        small.setattr(StoreWriter, "_append", full)
        assert prepare(folder, tmp_path / "DST", "--jobs", "1") == 1
    assert (
        "No space left on device; make room; what was saved before is kept: the same command"
        in error_line(capsys)
    )
    assert (tmp_path / "DST" / "index.tsv").read_text().count("\n") == 1 + 4
    assert prepare(folder, tmp_path / "DST") == 0
    assert tables(tmp_path / "DST") == tables(finished)


def test_a_destination_that_cannot_be_written(folder, tmp_path, monkeypatch, capsys):
    def refuse(path, *args, **kwargs):  # a root user may write anywhere but on a read-only file system
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    with monkeypatch.context() as read_only:
        read_only.setattr(Path, "mkdir", refuse)
        assert prepare(folder, tmp_path / "DST") == 1
        assert error_line(capsys) == f"prepare: {tmp_path / 'DST'}: Read-only file system; {PLACE}"
    assert prepare(folder, tmp_path / "DST") == 0
    capsys.readouterr()
    with monkeypatch.context() as read_only:  # a store that became so
        read_only.setattr(Path, "open", refuse)
        assert prepare(folder, tmp_path / "DST") == 1
        assert (
            error_line(capsys)
            == f"prepare: {tmp_path / 'DST' / 'prepare.lock'}: Read-only file system; {PLACE}"
        )


def test_a_full_disk_at_the_files_beside_the_store(folder, tmp_path, monkeypatch, capsys):
    @contextmanager
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))
        yield

    monkeypatch.setattr(whole_file, "whole_file", full)
    assert prepare(folder, tmp_path / "DST") == 1
    line = error_line(capsys)
    assert "dataset.json: No space left on device; make room; what was saved before is kept" in line


def test_a_worker_that_dies_is_reported(folder, tmp_path, monkeypatch, capsys):
    # As a full memory or a crashing decoder would have it; forked workers inherit the patch.
    monkeypatch.setattr(
        "s3prl_pemr.prepare.workers.read_recording", lambda path: os.kill(os.getpid(), signal.SIGKILL)
    )
    assert prepare(folder, tmp_path / "DST") == 1
    line = error_line(capsys)
    assert "a worker process died at" in line and "with fewer --jobs" in line


def test_what_leads_out_of_the_data_set_is_not_read(folder, tmp_path):
    root = folder / "rock"
    sources = [Source("out", root / ".." / "loud.wav"), Source("in", root / "a.mp3")]
    assert build.build_store(Listing(root, sources, DatasetName("x")), tmp_path / "DST", ONE_JOB) == 0
    assert AudioStore(tmp_path / "DST").tracks == ["in"]
    (row,), _ = read_unreadable(tmp_path / "DST" / "unreadable.tsv")
    assert row.track == "out" and "its path leads out of" in row.reason


def test_a_track_listed_twice_is_refused(folder, tmp_path):
    sources = [Source("same", folder / "loud.wav"), Source("same", folder / "silent.ogg")]
    with pytest.raises(ValueError, match="the track same is listed 2 times"):
        build.build_store(Listing(folder, sources, DatasetName("x")), tmp_path / "DST", ONE_JOB)
