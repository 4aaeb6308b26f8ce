"""A signal to the whole process group: the workers have it too."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection

import prepare_fixtures
import pytest
from prepare_fixtures import prepare

from s3prl_pemr.prepare import build, workers
from s3prl_pemr.prepare.workers import WorkerDied, Workers

folder = prepare_fixtures.folder


def test_it_is_no_dead_worker(folder, tmp_path, monkeypatch, capsys):
    """prepare was interrupted, as where it alone has the signal."""

    def die(*_):
        os.kill(os.getpid(), signal.SIGTERM)
        raise WorkerDied("a worker process died")

    monkeypatch.setattr(build, "_store", die)
    assert prepare(folder, tmp_path / "DST") == 143
    assert "interrupted: 0 of 18 tracks are done" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_it_is_left_to_the_parent_also_by_workers_that_have_just_been_made(monkeypatch, number):
    work = workers._work
    monkeypatch.setattr(workers, "_work", lambda *given: (time.sleep(0.2), work(*given)))
    with Workers(2) as pool:
        for _ in range(2):
            for process in pool._processes:
                os.kill(process.pid, number)
            assert list(pool.in_order(str, range(3))) == ["0", "1", "2"]


def test_all_workers_are_killed_before_they_have_work():
    with Workers(2) as pool:
        for process in pool._processes:
            process.kill()
        with pytest.raises(WorkerDied, match="a worker process died at 0;"):
            list(pool.in_order(str, range(30)))


def test_a_worker_is_killed_while_it_hands_over_a_result(monkeypatch):
    """The parent does not wait for the rest of it, and the others' results are there."""
    parent, send = os.getpid(), Connection._send

    def half(connection, data, *write):
        killed = os.getpid() != parent and len(data) > 100_000
        send(connection, data[: len(data) // 2] if killed else data, *write)
        if killed:
            os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(Connection, "_send", half)
    with Workers(2) as pool:
        results = pool.in_order(bytes, [1, 10**6, 2])
        assert next(results) == b"\0"
        with pytest.raises(WorkerDied, match="a worker process died at 1000000;"):
            next(results)
    assert [process.exitcode for process in pool._processes].count(-signal.SIGKILL) == 1


def test_what_a_worker_raises_is_raised_here_with_the_place_there():
    with Workers(1) as pool:
        with pytest.raises(ValueError, match="invalid literal") as error:
            list(pool.in_order(int, ["x"]))
        assert "workers.py" in str(error.value.__cause__)
        assert list(pool.in_order(int, ["1"])) == [1]


def test_a_pool_that_nobody_entered_ends_with_the_program():
    program = "from s3prl_pemr.prepare.workers import Workers; pool = Workers(2); 1 / 0"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1 and "ZeroDivisionError" in ended.stderr
