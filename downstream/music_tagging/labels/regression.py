"""Numbers of a clip, such as arousal and valence. B: clips, T: numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from s3prl.downstream.music_tagging.scoring.regression import (
    r2_metrics,
    regression_figure,
    regression_table,
    weighted_r2,
)
from torch import Tensor, nn
from torch.nn import functional as F

from .targets import number_names, numbers


class Regression(nn.Module):
    """The head gives standardised numbers: squared error, R2 of each and their mean. Interface: base.py.

    Labels are `NAME=VALUE`. `mean` and `deviation`, (T,), are those of the training split, as in MARBLE; they
    are saved with the head, so that scores are in the labels' units on any store.
    """

    selects_by = "r2"
    probabilistic = False
    bounds = (-np.inf, 1.0)
    names = staticmethod(number_names)
    targets = staticmethod(numbers)

    def __init__(self, outputs: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(outputs))
        self.register_buffer("deviation", torch.ones(outputs))

    def fit(self, targets: np.ndarray) -> None:
        """Mean and deviation of the training targets, (B, T)."""
        self.mean.copy_(torch.from_numpy(targets.mean(axis=0, dtype=np.float64)))
        self.deviation.copy_(torch.from_numpy(targets.std(axis=0, dtype=np.float64)))

    @staticmethod
    def check(targets: np.ndarray, names: list[str], tracks: list[str], where: str) -> None:
        """Raises ValueError (one line) where a number is the same for all clips; targets (B, T)."""
        same = [name for name, values in zip(names, targets.T, strict=True) if np.ptp(values) == 0]
        if same:
            raise ValueError(
                f"{where}: {same[0]!r} is the same for all {len(tracks)} clips: nothing to learn or to score"
            )

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Squared error of standardised numbers, mean over clips and numbers; both (B, T), targets plain."""
        mean, deviation = self.mean.to(outputs), self.deviation.to(outputs)
        return F.mse_loss(outputs, (targets - mean) / deviation)

    def scores(self, outputs: Tensor) -> Tensor:
        """In the labels' units, (B, T)."""
        return outputs * self.deviation.to(outputs) + self.mean.to(outputs)

    metrics = staticmethod(r2_metrics)

    @staticmethod
    def resampled(
        targets: np.ndarray, scores: np.ndarray, drawn: np.ndarray, names: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """R2 in each resample: targets, scores (B, T), drawn (R, B); each (R,)."""
        found = weighted_r2(targets, scores, drawn)
        each = {f"r2_{name}": values for name, values in zip(names, found.T, strict=True)}
        return {"r2": found.mean(axis=1), **each}

    @staticmethod
    def lines(names: list[str], scores: np.ndarray, count: int) -> list[str]:
        """All numbers of a file, in their order, whatever `count` is: lines `5.310  arousal`."""
        return [f"{value:.3f}  {name}" for name, value in zip(names, scores, strict=True)]

    tables = {"per-number": regression_table}
    figures = {"predicted": regression_figure}
