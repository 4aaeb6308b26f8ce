"""Scores of numbers. B: clips, T: numbers, R: resamples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .per_tag import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def weighted_r2(targets: np.ndarray, predictions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """R2 of each number in each resample, 1 - sum w (y - p)^2 / sum w (y - m)^2: what is explained.

    m is the weighted mean of y; NaN where all y of a resample are the same. (Draper and Smith, Applied
    Regression Analysis, 1.3; sklearn.metrics.r2_score is equal.)

    Args:
        targets, predictions: y and p, (B, T).
        weights: how often a clip was drawn, (R, B).

    Returns: float64, (R, T); at most 1.
    """
    y = targets - np.mean(targets, axis=0, dtype=np.float64)  # so that little is lost in the difference below
    residual = weights @ np.square(targets.astype(np.float64) - predictions)
    squares = weights @ np.square(y)
    spread = squares - np.square(weights @ y) / weights.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 1e-10 * squares, 1 - residual / spread, np.nan)  # less is rounding


def r2_metrics(
    targets: np.ndarray, predictions: np.ndarray, names: Sequence[str]
) -> dict[str, float | int | list[str]]:
    """`r2`, the mean over numbers, and `r2_NAME` of each; `clips`, `tags` (numbers), `left_out` (none).

    Raises: ValueError (one line): a prediction is not finite, or a number is the same for all clips.
    """
    bad = np.count_nonzero(~np.isfinite(predictions).all(axis=1))
    if bad:
        raise ValueError(
            f"the scores of {bad} of {len(targets)} clips are NaN or infinite: training diverged"
        )
    (found,) = weighted_r2(targets, predictions, np.ones((1, len(targets)), np.int64))
    same = [name for name, value in zip(names, found, strict=True) if np.isnan(value)]
    if same:
        raise ValueError(f"{same[0]!r} is the same for all {len(targets)} clips: R2 is not defined")
    each = {f"r2_{name}": float(value) for name, value in zip(names, found, strict=True)}
    return {"r2": float(found.mean()), **each, "clips": len(targets), "tags": len(names), "left_out": []}


def regression_table(targets: np.ndarray, predictions: np.ndarray, names: Sequence[str]) -> Table:
    """A row per number: clips, mean and deviation of the labels, R2, root mean square error, correlation."""
    (r2,) = weighted_r2(targets, predictions, np.ones((1, len(targets)), np.int64))
    error = np.sqrt(np.square(targets - predictions).mean(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = [np.corrcoef(*both)[0, 1] for both in zip(targets.T, predictions.T, strict=True)]
    columns = (
        names, [len(targets)] * len(names), targets.mean(axis=0), targets.std(axis=0), r2, error, correlation,
    )  # fmt: skip
    return ("number", "clips", "mean", "deviation", "r2", "rmse", "correlation"), list(
        zip(*columns, strict=True)
    )


def regression_figure(targets: np.ndarray, predictions: np.ndarray, names: Sequence[str]) -> Figure:
    """A point per clip for each number: the prediction over the label; both (B, T)."""
    from matplotlib.figure import Figure  # training does without

    figure = Figure(figsize=(4.2 * len(names), 4.4), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(names)))
    (r2,) = weighted_r2(targets, predictions, np.ones((1, len(targets)), np.int64))
    for axes, name, true, predicted, value in zip(panels, names, targets.T, predictions.T, r2, strict=True):
        ends = min(true.min(), predicted.min()), max(true.max(), predicted.max())
        axes.plot(ends, ends, color="grey", linestyle="--", label="as the label")
        axes.axhline(true.mean(), color="grey", linestyle=":", label="the mean: R2 0")
        axes.scatter(true, predicted, s=14, color="black", alpha=0.5, linewidths=0)
        axes.set(xlabel="label", ylabel="predicted", title=f"{name}: R2 {value:.3f}, {len(true)} clips")
        axes.legend(fontsize=8, frameon=False)
    return figure
