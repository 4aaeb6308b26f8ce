"""A signal at the moment a loader's worker starts is the parent's alone."""

import os
import signal
import threading
import time

import pytest
from torch.utils.data._utils import signal_handling

from s3prl_pemr.safety.obedient_loader import ObedientLoader


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_has_torchs_handlers_and_not_yet_ours(tmp_path, monkeypatch, number):
    theirs = signal_handling._set_worker_signal_handlers

    def slowly():
        theirs()
        (tmp_path / str(os.getpid())).touch()
        time.sleep(1)

    def signal_it():
        while not list(tmp_path.iterdir()):
            time.sleep(0.01)
        os.kill(int(next(tmp_path.iterdir()).name), number)

    monkeypatch.setattr(signal_handling, "_set_worker_signal_handlers", slowly)
    thread = threading.Thread(target=signal_it)
    thread.start()
    try:
        batches = [batch.tolist() for batch in ObedientLoader(range(6), batch_size=2, num_workers=1)]
    finally:
        thread.join()
    assert batches == [[0, 1], [2, 3], [4, 5]]


def test_the_parent_hears_what_came_while_they_started():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append(True))
    try:
        loader = ObedientLoader(range(2), num_workers=1)
        iterator = iter(loader)
        os.kill(os.getpid(), signal.SIGTERM)
        assert [batch.item() for batch in iterator] == [0, 1]
        assert heard == [True]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_without_workers_it_is_a_plain_loader():
    assert [batch.tolist() for batch in ObedientLoader(range(4), batch_size=2)] == [[0, 1], [2, 3]]
