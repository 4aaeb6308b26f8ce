"""Children of a program that ends by an error."""

import multiprocessing
import signal
import time

import pytest

from s3prl_pemr.safety.children import no_child_outlives_an_error


def test_what_went_wrong_is_not_hidden_by_the_end_of_the_children():
    """A handler of SIGCHLD like torch's raises as soon as a worker is killed."""

    def handler(*_):
        raise RuntimeError("a worker is killed")

    before = signal.signal(signal.SIGCHLD, handler)
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    try:
        with pytest.raises(ZeroDivisionError), no_child_outlives_an_error():
            child.start()
            raise ZeroDivisionError
        child.join(10)
        assert child.exitcode == -signal.SIGKILL
    finally:
        signal.signal(signal.SIGCHLD, before)
