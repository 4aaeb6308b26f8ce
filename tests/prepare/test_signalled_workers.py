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


def test_it_ends_workers_that_have_just_been_made(monkeypatch):
    """With the parent's handler one outlived it; a pool that had lost another waited for it for ever."""
    start = workers._start
    monkeypatch.setattr(workers, "_start", lambda parent: (time.sleep(0.3), start(parent)))
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with Workers(2) as pool:
            for process in pool._pool._processes.values():
                process.terminate()
            with pytest.raises(WorkerDied):
                list(pool.in_order(str, range(3)))
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_pool_that_is_broken_before_it_has_work():
    with Workers(2) as pool:
        for process in pool._pool._processes.values():
            process.kill()
        while not pool._pool._broken:
            time.sleep(0.01)
        with pytest.raises(WorkerDied, match="a worker process died at 0 or one of the 0 files after it"):
            list(pool.in_order(str, range(3)))
