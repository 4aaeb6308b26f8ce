"""The global random generators of Python, numpy and torch: kept over an evaluation, seeded for each epoch."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import torch
from torch import nn

from .position import CountedBatches, Position


@contextmanager
def preserved_random_state() -> Iterator[None]:
    """s3prl/downstream/runner.py:443 evaluate() reseeds: epochs after one would be shuffled alike."""
    python, legacy_numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy_numpy)  # noqa: NPY002 - the generator that the toolkit's tasks draw from
        torch.set_rng_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)


def seed_epoch(seed: int, epoch: int, rank: int) -> None:
    """Makes what is drawn from here on a function of the experiment, the epoch and the process."""
    drawn = int(np.random.SeedSequence([seed, epoch, rank]).generate_state(1)[0])
    random.seed(drawn)
    np.random.seed(drawn)  # noqa: NPY002 - the generator that the toolkit's tasks draw from
    torch.manual_seed(drawn)


class EpochSeededLoaders:
    """An expert's get_dataloader, with the generators seeded before the loader of a training epoch is made.

    s3prl/downstream/runner.py:273: a resumed run would otherwise go through the data in the order of epoch 0.
    Only the training loop (:277) passes `epoch`; experts without it raise the TypeError that it waits for,
    and are asked again with the generators still as seeded. A class: spawned workers may have to pickle it.
    """

    def __init__(
        self, expert: nn.Module, seed: int, rank: int, position: Position,
        patience: Callable[[], AbstractContextManager] = nullcontext,
    ):  # fmt: skip
        """Args: patience: around an expert's get_dataloader, which may have CQTs of hours to compute."""
        self.expert, self.seed, self.rank, self.position = expert, seed, rank, position
        self._patience = patience
        self._asked_again = False

    def __call__(self, split: str, *args, **kwargs):
        """s3prl hook: see downstream/example/expert.py. The training loop's batches are counted."""
        training, self._asked_again = "epoch" in kwargs or self._asked_again, "epoch" in kwargs
        if "epoch" in kwargs:
            seed_epoch(self.seed, kwargs["epoch"], self.rank)
            self.position.epoch = kwargs["epoch"]
        with self._patience():
            loader = type(self.expert).get_dataloader(self.expert, split, *args, **kwargs)
        self._asked_again = False
        return CountedBatches(loader, self.position) if training else loader
