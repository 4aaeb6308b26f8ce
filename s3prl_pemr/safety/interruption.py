"""Ctrl-C and a cluster's SIGTERM or SIGUSR1 as a request: heard between two steps, never within a write."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import distributed

# SIGUSR1: what SLURM is asked to send some minutes before it takes a node away (docs/scale.md)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
PATIENCE_SECONDS = 3.0
logger = logging.getLogger(__name__)


class Interruption:
    """Context in which a first signal is noted; a SIGINT after another one interrupts at once.

    Args:
        device: of this process, where several of a torchrun have to agree.
    """

    def __init__(self, device: str = "cpu"):
        self._device = device
        self._noted = 0  # by this process, at any moment
        self._patience_seconds = 0.0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        self._previous = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def _note(self, number: int, _frame: object) -> None:
        if self._noted and number == signal.SIGINT:
            raise KeyboardInterrupt
        if self._patience_seconds and not self._noted:
            signal.setitimer(signal.ITIMER_REAL, self._patience_seconds)
        self._noted = number

    def noted(self) -> int:
        """The signal that this process has had, 0 for none; of a torchrun, others may have had one."""
        return self._noted

    def signal_number(self) -> int:
        """The signal to stop for, 0 for none; all processes agree, so none waits for one that has left."""
        if not distributed.is_initialized():
            return self._noted
        number = torch.tensor(self._noted, device=self._device)
        distributed.all_reduce(number, op=distributed.ReduceOp.MAX)
        return int(number)

    @contextmanager
    def patience(self, what: str, seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
        """For what may take long and can be begun again: it has so long to end after a signal.

        Outside of this context a signal does what it always does.

        Raises: SystemExit (128 + the signal's number), wherever it is then; what it has written stays.
        """
        if not self._previous:
            yield
            return

        def give_up(*_: object) -> None:
            raise SystemExit(128 + self._noted)

        before, around = signal.signal(signal.SIGALRM, give_up), self._patience_seconds
        self._patience_seconds = seconds
        if self._noted:
            signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        except SystemExit:
            if self._noted and not around:
                logger.warning("stopped by a signal within %s, which -a begins again", what)
            raise
        finally:
            self._patience_seconds = around
            signal.setitimer(signal.ITIMER_REAL, around if self._noted else 0)
            signal.signal(signal.SIGALRM, before)

    def exit_status(self) -> int:
        """What a shell expects of a program that a signal ended: 128 + its number; 0 for none."""
        number = self.signal_number()
        return 128 + number if number else 0


@contextmanager
def ctrl_c_waits() -> Iterator[None]:
    """A Ctrl-C within is heard at the end: for libraries that take every exception for an error of theirs."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    noted: list[tuple[int, Any]] = []
    signal.signal(signal.SIGINT, lambda *what: noted.append(what))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if noted:
            handler(*noted[0])
