"""Worker processes when something goes wrong."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

HELD = (signal.SIGINT, signal.SIGTERM)


def obedient_worker() -> Callable[[int], None]:
    """A `worker_init_fn` for data loaders of this process: only the parent, which saves, acts on a signal.

    Ctrl-C, torchrun and schedulers signal the whole process group. The worker ends with its parent, one that
    was killed between the fork and the worker's start included: torch's own watch begins after that.
    """
    return partial(_obey, os.getpid())


def _obey(parent: int, worker: int) -> None:
    for number in HELD:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)  # held by ObedientLoader
    end_with(parent)


def end_with(parent: int) -> None:
    """End this process, whatever it is at, within a second of the one that started it."""
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


@contextmanager
def no_child_outlives_an_error() -> Iterator[None]:
    """Kill this process's children where an exception passes.

    multiprocessing sends them SIGTERM at the program's end, and waits without limit for those that ignore it.
    """
    try:
        yield
    except BaseException:
        # torch's DataLoader would raise "worker is killed" in the place of what has passed here
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for child in multiprocessing.active_children():
            child.kill()
        raise
