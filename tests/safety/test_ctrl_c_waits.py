"""A Ctrl-C while a library is at work that takes every exception for an error of its own."""

import signal
import threading
from dataclasses import dataclass

import pytest

from s3prl_pemr.safety.interruption import ctrl_c_waits
from s3prl_pemr.settings import parse

built = []


@pytest.fixture(autouse=True)
def heard_here():
    """Processes that pytest-xdist starts ignore the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@dataclass
class Interrupted:
    width: int = 1

    def __post_init__(self):
        signal.raise_signal(signal.SIGINT)
        built.append(self.width)


def test_settings_are_read_to_their_end_and_then_it_is_heard():
    built.clear()
    with pytest.raises(KeyboardInterrupt):
        parse(Interrupted, {"width": 3}, "here")
    assert built[-1] == 3


def test_it_is_heard_where_an_error_passes_too():
    with pytest.raises(KeyboardInterrupt) as heard, ctrl_c_waits():
        signal.raise_signal(signal.SIGINT)
        raise ZeroDivisionError
    assert isinstance(heard.value.__context__, ZeroDivisionError)


def test_without_a_signal_nothing_changes():
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), ctrl_c_waits():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is handler


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ctrl_c_waits():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_sets_no_handler():
    ended = []

    def within():
        with ctrl_c_waits():
            ended.append(True)

    thread = threading.Thread(target=within)
    thread.start()
    thread.join()
    assert ended == [True]
