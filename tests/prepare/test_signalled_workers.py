"""A signal to the whole process group: the workers have it too."""

import os
import signal
import time

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
    """One that ended while it wrote a result left the parent waiting for ever."""
    start = workers._start
    monkeypatch.setattr(workers, "_start", lambda parent: (time.sleep(0.2), start(parent)))
    with Workers(2) as pool:
        for _ in range(2):
            for process in pool._pool._processes.values():
                os.kill(process.pid, number)
            assert list(pool.in_order(str, range(3))) == ["0", "1", "2"]


def test_a_pool_that_is_broken_before_it_has_work():
    with Workers(2) as pool:
        for process in pool._pool._processes.values():
            process.kill()
        while not pool._pool._broken:
            time.sleep(0.01)
        with pytest.raises(WorkerDied, match="a worker process died at 0 or one of the 0 files after it"):
            list(pool.in_order(str, range(3)))
