"""Cells side by side: each in a thread that waits for its commands; one that fails stops no other."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import torch

from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.interruption import SIGNALS, Interruption

from .stages import Stages

LOG = "log.txt"
INTERRUPTED = tuple(128 + number for number in SIGNALS)
POLL_SECONDS = 0.3


class Runnable(Protocol):
    """A cell: a name for people, a folder for its log and stages, and what it runs."""

    @property
    def title(self) -> str:
        """For people."""

    @property
    def folder(self) -> Path:
        """Of this cell alone."""

    def carry_out(self, stages: Stages) -> None:
        """Run what is missing."""


Cell = TypeVar("Cell", bound=Runnable)


@dataclass(frozen=True)
class Outcome:
    """How a cell ended: `failure` is one line, '' where it is done; seconds and memory over all attempts."""

    failure: str
    seconds: float
    peak_gb: float


def carry_out(
    cells: Sequence[Cell],
    jobs: int,
    stop: Interruption,
    blocked: Callable[[Cell], str],
    bar: Progress,
) -> Iterator[tuple[Cell, Outcome]]:
    """Run the cells, at most `jobs` at a time, and yield each when it has ended.

    After a signal the commands that run are asked to save and end, and no other is begun.

    Args:
        blocked: why a cell cannot be run, '' where it can.
        bar: that counts the cells.
    """
    slots: queue.SimpleQueue[int] = queue.SimpleQueue()
    for slot in range(jobs):
        slots.put(slot)

    def run(cell: Cell) -> Outcome | None:
        if stop.noted():
            return None
        slot = slots.get()
        try:
            outcome = _run(cell, _environment(slot, jobs), blocked(cell))
            return outcome or (None if stop.noted() else Outcome("was interrupted", 0.0, 0.0))
        finally:
            slots.put(slot)

    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(run, cell): cell for cell in cells}
        handed_on = False
        while waiting:
            if stop.noted() and not handed_on:
                handed_on = True
                for process in list(Stages.running):
                    with contextlib.suppress(ProcessLookupError):
                        process.send_signal(signal.SIGTERM)
            done, _ = wait(waiting, POLL_SECONDS, FIRST_COMPLETED)
            for future in [future for future in waiting if future in done]:  # in the order of the cells
                cell, outcome = waiting.pop(future), future.result()
                if outcome is not None:
                    bar.update(1)
                    yield cell, outcome


def _run(cell: Runnable, environment: dict[str, str], why_not: str) -> Outcome | None:
    if why_not:
        return Outcome(why_not, 0.0, 0.0)
    log = cell.folder / LOG
    stages = Stages(cell.folder, total=0, log=log, environment=environment)
    failure = ""
    try:
        cell.carry_out(stages)
    except SystemExit as ended:
        if ended.code in INTERRUPTED:
            return None
        failure = _last_line(log) or f"status {ended.code}"
    except ValueError as error:
        failure = str(error)
    seconds = sum(record["seconds"] for record in stages.records.values())
    return Outcome(failure, seconds, stages.peak_gb())


def _environment(slot: int, jobs: int) -> dict[str, str]:
    """A cell's share of the machine: cores, and a GPU of its own where there are several."""
    share = {} if jobs == 1 else {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // jobs))}
    gpus = torch.cuda.device_count()
    if jobs > 1 and gpus > 1:
        share["CUDA_VISIBLE_DEVICES"] = str(slot % gpus)
    return share


def _last_line(log) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
