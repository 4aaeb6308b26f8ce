"""Worker processes when something goes wrong."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def leave_signals_to_the_parent(worker: int = 0) -> None:
    """For a data loader's workers: only the parent, which saves, may act on a signal.

    Ctrl-C, torchrun and schedulers signal the whole process group. A worker whose parent is gone ends by
    itself (torch's DataLoader watches for that).
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


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
