"""A DataLoader whose workers leave signals to the process that saves, from their first moment on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch.utils.data import DataLoader

from .children import HELD, obedient_worker


class ObedientLoader(DataLoader):
    """As DataLoader, with `obedient_worker`.

    torch gives a worker handlers of its own before it calls worker_init_fn: a signal to the whole group at
    that moment ended the worker, and the run by an error in the place of what was asked for.
    """

    def __init__(self, dataset: Any, **settings: Any):
        super().__init__(dataset, worker_init_fn=obedient_worker(), **settings)

    def __iter__(self) -> Any:
        """Starts the workers with signals held back, which they have for good when they ignore them."""
        if not self.num_workers:
            return super().__iter__()
        with _held_back():
            return super().__iter__()


@contextmanager
def _held_back() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
