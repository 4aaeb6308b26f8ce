"""SIGINT and SIGTERM: finish the step, save, and end with 128 + the signal's number, as shells do."""

from __future__ import annotations

import signal

import torch
import torch.distributed as dist

from .global_batch import world_size

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Context in which a first signal is noted; a SIGINT after another interrupts at once."""

    def __init__(self, device: str):
        self._device = device
        self._noted = 0  # by this process, at any moment
        self._previous = {}

    def __enter__(self) -> Interruption:
        self._previous = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame) -> None:
        if self._noted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._noted = number

    def signal_number(self) -> int:
        """The signal to stop for, 0 for none; all processes agree, so none waits for one that has left."""
        if world_size() == 1:
            return self._noted
        number = torch.tensor(self._noted, device=self._device)
        dist.all_reduce(number, op=dist.ReduceOp.MAX)
        return int(number)
