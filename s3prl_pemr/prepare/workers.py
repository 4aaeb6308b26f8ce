"""Worker processes that read audio; their results come back in order."""

import copy
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from s3prl_pemr.audio import UnreadableAudio, read_recording, to_int16
from s3prl_pemr.store.index import StoreError

CONTEXT = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
# Enough to keep every worker busy while one takes long; each result waits in memory (2 MB a minute of audio).
TASKS_PER_WORKER = 4
Item, Result = TypeVar("Item"), TypeVar("Result")


class _Worker(CONTEXT.Process):
    """Ends where its pool is broken, whatever signals it ignores."""

    def terminate(self) -> None:
        """Called by concurrent.futures for the others where one has died."""
        self.kill()


class WorkerDied(StoreError):
    """A worker process was killed: the memory was full, or a signal was the whole group's."""


@dataclass(frozen=True)
class Decoded:
    """A decoded file: `samples` (int16) with a `note` for the index, or None and the `reason`."""

    samples: np.ndarray | None
    note: str = ""
    reason: str = ""


def decoder_died(path: str) -> Decoded:
    """What stands for a file at which every worker died."""
    return Decoded(None, reason="the program that reads it died each time, or had no memory left")


def decode(path: str) -> Decoded:
    """Read one file for the store."""
    try:
        recording = read_recording(path)
    except UnreadableAudio as error:
        return Decoded(None, reason=error.reason)
    wav = recording.wav
    samples, clipped = to_int16(wav)
    note = "" if samples.any() else "silent"
    if clipped:
        note = f"clipped {clipped} samples, peak {max(wav.max(), -wav.min()):.2f}"
    return Decoded(samples, recording.cancelled or note)


class Workers:
    """A pool of processes, started at once.

    They are forked where that is safe (Linux): a spawned worker would import s3prl_pemr anew, and with it
    torch and the whole toolkit, for several seconds each. Forking is sound here because it comes before this
    program starts any thread of its own (progress bar, pool), and the workers call only numpy's elementwise
    parts, libsndfile, FFmpeg and soxr, none of which has threads before it is used.

    Args:
        jobs: number of processes.
    """

    def __init__(self, jobs: int):
        self.jobs = jobs
        context = copy.copy(CONTEXT)
        context.Process = _Worker
        self._pool = ProcessPoolExecutor(jobs, context, initializer=_start, initargs=(os.getpid(),))
        # Until a worker ignores them, signals wait.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            self._pool.submit(os.getpid)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *exc_info) -> None:
        self._pool.shutdown(cancel_futures=True)

    def in_order(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[Item], Result] | None = None,
    ) -> Iterator[Result]:
        """`function` of every item, in the order of the items.

        Args:
            function, items: picklable.
            lost: what stands for an item whose worker died, where the engine can go on: a pool cannot.

        Raises:
            WorkerDied: one line.
        """
        pending: deque = deque()
        for item in items:
            try:
                pending.append((item, self._pool.submit(function, item)))
            except BrokenProcessPool as error:
                raise _died(item, 0) from error
            if len(pending) == TASKS_PER_WORKER * self.jobs:
                yield self._next(pending)
        while pending:
            yield self._next(pending)

    def _next(self, pending: deque) -> Result:
        item, future = pending.popleft()
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise _died(item, len(pending)) from error


def _died(item: Any, waiting: int) -> WorkerDied:
    return WorkerDied(
        f"a worker process died at {item!r} or one of the {waiting} files after it; what was stored is kept: "
        "run again, with fewer --jobs if the memory was full"
    )


def _start(parent: int) -> None:
    # Ctrl-C, torchrun and schedulers signal the whole group: the parent decides. A worker that ended while it
    # writes a result would leave the parent waiting for the rest of it for ever.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    # Codecs write their warnings to file descriptor 2 from C, through the progress bar.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    # A killed parent leaves its workers waiting for ever: each holds the pipe open for the others.
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
