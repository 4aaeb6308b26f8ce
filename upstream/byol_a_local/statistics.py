"""What BYOL-A subtracts from its log-mel and divides by: its authors' numbers, the user's, or a store's.

Its authors measure both anew on each data set (nttcslab/byol-a, README and train.py: `PrecomputedNorm`), and
s3prl/upstream/byol_a/expert.py:54 fixes those of their pretraining data with a FIXME.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from s3prl_pemr.audio import INT16_FULL_SCALE, SAMPLE_RATE
from s3prl_pemr.settings import parse, read_yaml
from s3prl_pemr.store import AudioStore

AUTHORS = (-5.4919195, 5.0389895)  # s3prl/upstream/byol_a/expert.py:55
SECONDS = 2_000  # of a store: one at a time, the tracks taking turns
SEED = 0
AT_ONCE = 64
TRAIN = "train"


@dataclass
class NormConfig:
    """The yaml of -g: two numbers, or a store to measure them on (its split `train` where it has one)."""

    norm_mean: float | None = None
    norm_std: float | None = None
    store: str | None = None

    def __post_init__(self):
        if (self.norm_mean is None) != (self.norm_std is None):
            raise ValueError("norm_mean and norm_std go together")
        if (self.norm_mean is None) == (self.store is None):
            raise ValueError("either norm_mean and norm_std, or store")
        if self.norm_std is not None and not (math.isfinite(self.norm_mean) and 0 < self.norm_std < math.inf):
            raise ValueError("norm_mean must be finite and norm_std above 0")


def chosen_statistics(path: str | None, log_mel: Callable[[Tensor], Tensor]) -> tuple[float, float, str]:
    """Mean, standard deviation, and where they are from.

    Args:
        path: of -g; None for the authors'.
        log_mel: waveforms (B, N) -> log-mel, for a store.

    Raises:
        ValueError: one line: a yaml that does not serve, or a store without a second of sound.
    """
    if path is None:
        return (*AUTHORS, "BYOL-A's own, of the data it was pretrained on; -g sets those of yours")
    settings = read_yaml(path, "-g")
    config = parse(NormConfig, settings, f"-g {path}")
    if config.store is None:
        return config.norm_mean, config.norm_std, f"of {path}"
    store = AudioStore(config.store)
    mean, std, seconds = measure(store, log_mel)
    return mean, std, f"measured on {seconds} s of {store.path}"


@torch.no_grad()
def measure(store: AudioStore, log_mel: Callable[[Tensor], Tensor]) -> tuple[float, float, int]:
    """Mean and biased deviation over all values of seconds drawn from a store; sums in float64.

    Returns: both, and how many seconds.

    Raises:
        ValueError: one line: no track has a second, or all is one value.
    """
    tracks = store.select(TRAIN if TRAIN in store.splits else "")
    tracks = tracks[store.length_samples[tracks] >= SAMPLE_RATE]
    if not len(tracks):
        raise ValueError(f"{store.path}: no track has a whole second to measure statistics on")
    generator = np.random.default_rng(SEED)
    whole = int((store.length_samples[tracks] // SAMPLE_RATE).sum())
    chosen = np.resize(generator.permutation(tracks), min(SECONDS, whole))
    starts = generator.integers(store.length_samples[chosen] - SAMPLE_RATE + 1)
    total = torch.zeros(2, dtype=torch.float64)
    values = 0
    for first in range(0, len(chosen), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        wavs = torch.from_numpy(store.gather(chosen[part], starts[part], SAMPLE_RATE)).float()
        found = log_mel(wavs / INT16_FULL_SCALE).double()
        total += torch.stack([found.sum(), found.square().sum()])
        values += found.numel()
    mean, square = (total / values).tolist()
    std = math.sqrt(max(square - mean**2, 0.0))
    if std == 0:
        raise ValueError(f"{store.path}: all of its log-mel is one value: silence has no statistics")
    return mean, std, len(chosen)
