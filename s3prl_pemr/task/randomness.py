"""Generators keyed by what they are for: the same crops for any number of workers and for a resumed run."""

from __future__ import annotations

import numpy as np
import torch

_ORDER, _CROP = range(2)


def order_generator(seed: int, epoch: int) -> torch.Generator:
    """For the order of an epoch's clips."""
    drawn = np.random.SeedSequence(seed, spawn_key=(_ORDER, epoch)).generate_state(1)[0]
    return torch.Generator().manual_seed(int(drawn))


def crop_generator(seed: int, epoch: int, track: int) -> np.random.Generator:
    """For the place of one track's crop; `track` is its index in the store."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_CROP, epoch, track)))
