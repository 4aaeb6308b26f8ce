"""Generators keyed by what they are for: the same data for any number of processes and for a resumed run.

Spawn keys rather than a list of seeds: numpy pads a short seed list with zeros, which makes [s, e] equal to
[s, e, 0, 0].
"""

from __future__ import annotations

import numpy as np

_ORDER, _CROP, _STATISTICS, _EXAMINATION = range(4)
BEYOND_EPOCHS = 2**31 - 1  # an epoch that no run reaches: for crops that are read before the first step


def order_generator(seed: int, epoch: int) -> np.random.Generator:
    """For the order of an epoch's tracks."""
    return _keyed(seed, _ORDER, epoch)


def crop_generator(seed: int, epoch: int, track: int, crop: int) -> np.random.Generator:
    """For everything drawn for one crop of one track: its place, its augmentation, its corruption."""
    return _keyed(seed, _CROP, epoch, track, crop)


def statistics_generator(seed: int) -> np.random.Generator:
    """For the clips that the log-mel statistics are measured on."""
    return _keyed(seed, _STATISTICS)


def examination_generator(seed: int) -> np.random.Generator:
    """For the clips that a method is examined on during the run."""
    return _keyed(seed, _EXAMINATION)


def _keyed(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
