"""Children of a program that ends by an error."""

import multiprocessing
import os
import signal
import time

import pytest

from s3prl_pemr.safety.children import no_child_outlives_an_error, obedient_worker


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


def test_a_worker_whose_parent_was_killed_before_it_began_ends():
    """The parent forks, dies, and only then does the worker call what the loader gave it."""
    own, its = os.pipe()
    parent = os.fork()
    if parent == 0:
        obey = obedient_worker()
        if os.fork() == 0:
            os.close(own)
            while os.getppid() == obey.args[0]:
                time.sleep(0.01)
            obey(0)
            time.sleep(60)
        os._exit(0)
    os.close(its)
    os.waitpid(parent, 0)
    begun = time.monotonic()
    assert os.read(own, 1) == b""  # its end of the pipe closes with it
    os.close(own)
    assert time.monotonic() - begun < 10
