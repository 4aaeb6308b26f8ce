"""Worker processes that read audio; their results come back in order."""

import contextlib
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.pool import ExceptionWithTraceback
from multiprocessing.util import Finalize
from queue import SimpleQueue
from typing import TypeVar

import numpy as np

from s3prl_pemr.audio import UnreadableAudio, read_recording, to_int16
from s3prl_pemr.safety.children import end_with
from s3prl_pemr.store.index import StoreError

CONTEXT = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
# Enough to keep every worker busy while one takes long; each result waits in memory (2 MB a minute of audio).
TASKS_PER_WORKER = 4
Item = TypeVar("Item")
Result = TypeVar("Result")


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

    Each has a pipe of its own and a thread here that waits at it. The pools of the standard library have one
    for all: a worker that is killed while it writes a result leaves the rest of it to be waited for there.

    Args:
        jobs: number of processes.
    """

    def __init__(self, jobs: int):
        self.jobs = jobs
        self._processes: list[multiprocessing.process.BaseProcess] = []
        self._pipes: list[Connection] = []
        Finalize(self, _dismiss, (self._pipes,), exitpriority=1)  # workers end where nobody asks any more
        # Until a worker ignores them, signals wait.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            for _ in range(jobs):
                self._start_one()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._free: SimpleQueue[Connection] = SimpleQueue()
        for pipe in self._pipes:
            self._free.put(pipe)
        self._threads = ThreadPoolExecutor(jobs)

    def _start_one(self) -> None:
        own, its = CONTEXT.Pipe()
        inherited = [*self._pipes, own] if CONTEXT.get_start_method() == "fork" else []
        process = CONTEXT.Process(target=_work, args=(its, inherited, os.getpid()))
        self._pipes.append(own)
        self._processes.append(process)
        process.start()
        its.close()  # the worker's alone: that it has died is the pipe's end

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *exc_info) -> None:
        self._threads.shutdown(cancel_futures=True)
        _dismiss(self._pipes)
        for process in self._processes:
            process.join()

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
        pending: deque[Future[Result]] = deque()
        for item in items:
            pending.append(self._threads.submit(self._ask, function, item))
            if len(pending) == TASKS_PER_WORKER * self.jobs:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    def _ask(self, function: Callable[[Item], Result], item: Item) -> Result:
        pipe = self._free.get()
        try:
            pipe.send((function, item))
            result, error = pipe.recv()
        except (EOFError, OSError) as end:
            raise WorkerDied(
                f"a worker process died at {item!r}; what was stored is kept: run again, with fewer --jobs "
                "if the memory was full"
            ) from end
        finally:
            self._free.put(pipe)  # a dead worker's too: nothing waits for ever
        if error is not None:
            raise error
        return result


def _work(pipe: Connection, inherited: list[Connection], parent: int) -> None:
    """What a worker does: answers until it is dismissed."""
    for other in inherited:
        other.close()
    # Ctrl-C, torchrun and schedulers signal the whole group: the parent decides.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    # Codecs write their warnings to file descriptor 2 from C, through the progress bar.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    end_with(parent)  # in the midst of a file it would not see that it is alone
    while (task := pipe.recv()) is not None:
        function, item = task
        try:
            pipe.send((function(item), None))
        except Exception as error:
            pipe.send((None, ExceptionWithTraceback(error, error.__traceback__)))


def _dismiss(pipes: list[Connection]) -> None:
    for pipe in pipes:
        with contextlib.suppress(OSError):  # it has died, or was dismissed before
            pipe.send(None)
        pipe.close()
