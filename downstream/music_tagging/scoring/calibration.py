"""Probabilities that mean what they say: a temperature fitted on dev (Guo et al. 2017, 4.2)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from ..labels.task import Probabilistic

BINS = 15  # Guo et al., 4.1
# Of a temperature. Not below 1: a small dev split that is told apart perfectly would ask for full certainty.
BOUNDS = (1.0, 10.0)


def fitted_temperature(task: Probabilistic, logits: Tensor, targets: Tensor) -> float:
    """The T in BOUNDS with which `task.loss(logits / T)` is lowest. Ranks, and so ROC-AUC and accuracy, stay.

    Args:
        task: of probabilities.
        logits, targets: of dev, (B, T).
    """
    from scipy.optimize import minimize_scalar

    logits, targets = logits.double(), targets.double()

    def loss(log_temperature: float) -> float:
        return float(task.loss(logits / math.exp(log_temperature), targets))

    low, high = map(math.log, BOUNDS)
    return math.exp(minimize_scalar(loss, bounds=(low, high), method="bounded").x)


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    """How far probabilities are from what happens: mean over BINS of |frequency - confidence| (Eq. 3 there).

    Args:
        confidence: in [0, 1], (N,).
        correct: whether it came true, (N,).
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    sums = np.bincount(bins, weights=correct.astype(float) - confidence, minlength=BINS)
    return float(np.abs(sums).sum() / len(confidence))


def calibration(task: Probabilistic, logits: Tensor, targets: Tensor, temperature: float) -> dict[str, float]:
    """The error with the temperature and without; both of a split, (B, T)."""
    with_it, without = (
        expected_calibration_error(
            *task.claims(task.scores(logits.double() / divisor).numpy(), targets.numpy())
        )
        for divisor in (temperature, 1.0)
    )
    return {
        "temperature": temperature,
        "expected_calibration_error": with_it,
        "expected_calibration_error_uncalibrated": without,
    }


def told(
    temperature: float | None, trained_on: str | None, clips: int | None, probabilistic: bool = True
) -> str:
    """What to know of the numbers that -m inference prints; `temperature` None: a head of 0.1."""
    music = (
        f"{clips} clips of {trained_on or 'a store without a name'}"
        if clips
        else "clips that it does not name"
    )
    if not probabilistic:
        return f"the head was trained on {music}, in the units of its labels"
    certainty = (
        "not calibrated"
        if temperature is None
        else f"calibrated on its dev split (temperature {temperature:.2f})"
    )
    return (
        f"the head was trained on {music}; its probabilities are {certainty}: for other music they only rank"
    )
