"""Where a downstream run is: batches of the epoch, random states; and a stop between two steps."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

KEY = "Position"  # in a checkpoint; one of 0.1.0 has none


class Position:
    """What the toolkit's checkpoints lack for going on exactly: see s3prl/downstream/runner.py:409.

    Attributes:
        epoch: the running one.
        batches: that it has given so far.
    """

    def __init__(self, saved: dict[str, Any] | None, accumulated: int, stop: Callable[[], None], rank: int):
        """Set up before the loop.

        Args:
            saved: `state` of a checkpoint to go on from; None: begin with an epoch.
            accumulated: batches in a step.
            stop: called between two steps; what it raises ends the loop.
            rank: of this process; a checkpoint has the random states of the first.
        """
        self.epoch, self.batches = 0, 0
        self._saved, self._accumulated, self._stop, self._rank = saved, accumulated, stop, rank
        self._given = 0
        self._before: dict[str, Any] | None = None  # the state before the step under way
        self._rewound = False

    def state(self) -> dict[str, Any]:
        """Of this moment, for a checkpoint; after `rewind`, of before the step under way."""
        if self._rewound:
            return self._before
        algorithm, keys, place, has_gauss, gauss = np.random.get_state()  # noqa: NPY002 - the toolkit's tasks
        return {
            "batches": self.batches,
            "python": random.getstate(),
            "numpy": [algorithm, torch.from_numpy(keys.astype(np.int64)), place, has_gauss, gauss],
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def rewind(self) -> bool:
        """Give the step under way up; False where batches before this one have left traces in the modules."""
        self._rewound = self._before is not None and (self._given - 1) % self._accumulated == 0
        return self._rewound

    def each_of(self, loader) -> Iterator:
        """The batches of an epoch that are not done yet: those before `saved` are drawn and thrown away."""
        self.batches = 0
        batches = iter(loader)
        if self._saved is not None:
            while self.batches < self._saved["batches"] and next(batches, None) is not None:
                self.batches += 1
            if self._rank == 0:
                _restore(self._saved)
            self._saved = None
        while True:
            if self._given % self._accumulated == 0:
                self._stop()  # before the next batch is drawn, which may draw numbers too
                self._before = self.state()
            batch = next(batches, None)
            if batch is None:
                return
            self.batches += 1
            self._given += 1
            yield batch


class CountedBatches:
    """A loader of the training loop, which asks for its length and, under torchrun, its sampler."""

    def __init__(self, loader, position: Position):
        self._loader, self._position = loader, position

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator:
        return self._position.each_of(self._loader)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


def _restore(state: dict[str, Any]) -> None:
    random.setstate(_tuples(state["python"]))
    algorithm, keys, place, has_gauss, gauss = state["numpy"]
    np.random.set_state((algorithm, keys.numpy().astype(np.uint32), place, has_gauss, gauss))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value
