"""Ctrl-C and a cluster's SIGTERM or SIGUSR1 as a request: heard between two steps, never within a write."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import distributed

# SIGUSR1: what SLURM is asked to send some minutes before it takes a node away (docs/scale.md)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class Interruption:
    """Context in which a first signal is noted; a SIGINT after another one interrupts at once.

    Args:
        device: of this process, where several of a torchrun have to agree.
    """

    def __init__(self, device: str = "cpu"):
        self._device = device
        self._noted = 0  # by this process, at any moment
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        self._previous = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: object) -> None:
        if self._noted and number == signal.SIGINT:
            raise KeyboardInterrupt
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
