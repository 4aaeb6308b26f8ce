"""`prepare --engine ray` on a local cluster of two workers. Skipped without the extra `ray`."""

import os
import signal
import sys
import time

import prepare_fixtures
import pytest
from prepare_fixtures import prepare, tables

from s3prl_pemr.prepare.engine import RayWorkers
from s3prl_pemr.prepare.workers import decoder_died

folder, finished = prepare_fixtures.folder, prepare_fixtures.finished


def test_the_store_has_the_same_bytes(cluster, folder, finished, tmp_path):
    assert prepare(folder, tmp_path / "DST", "--engine", "ray") == 0
    assert tables(tmp_path / "DST") == tables(finished)
    assert (tmp_path / "DST" / "audio.i16").read_bytes() == (finished / "audio.i16").read_bytes()


def test_a_killed_worker_is_replaced_and_nothing_is_lost(cluster, tmp_path):
    def numbered(number, marks=tmp_path):
        """The third item's worker is killed at its first attempt."""
        mark = marks / str(number)
        attempts = int(mark.read_text()) if mark.exists() else 0
        mark.write_text(str(attempts + 1))
        if number == 2 and attempts == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.01)
        return number * number

    with RayWorkers(2) as workers:
        assert list(workers.in_order(numbered, range(20))) == [number**2 for number in range(20)]
    assert (tmp_path / "2").read_text() == "2"


def test_a_file_at_which_every_worker_dies_does_not_end_the_job(cluster):
    def dies(path):
        if path == "bad.mp3":
            os.kill(os.getpid(), signal.SIGKILL)
        return path

    with RayWorkers(2) as workers:
        found = list(workers.in_order(dies, ["a.mp3", "bad.mp3", "b.mp3"], lost=decoder_died))
        assert (found[0], found[2]) == ("a.mp3", "b.mp3")
        assert found[1].samples is None
        assert "died each time" in found[1].reason
        with pytest.raises(ValueError, match="every worker died at 'bad.mp3'"):
            list(workers.in_order(dies, ["bad.mp3"]))


def test_an_error_of_a_task_is_raised_as_it_is(cluster):
    def fails(number):
        raise ZeroDivisionError(number)

    with RayWorkers(2) as workers, pytest.raises(ZeroDivisionError):
        list(workers.in_order(fails, [1]))


def test_without_ray_one_line_says_what_to_install(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert prepare(folder, tmp_path / "DST", "--engine", "ray") == 1
    assert "pip install 's3prl-pemr[ray]'" in capsys.readouterr().err
