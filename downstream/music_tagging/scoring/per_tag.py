"""Scores tag by tag, or class by class, as tables and pictures. B: clips, T: tags or classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from s3prl.downstream.music_tagging.metric import tag_scores
from sklearn.metrics import confusion_matrix, precision_score, recall_score

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NUMBERED = 30  # classes of a confusion matrix
Table = tuple[tuple[str, ...], list[tuple]]  # names of the columns, rows


def tag_table(targets: np.ndarray, scores: np.ndarray, names: Sequence[str]) -> Table:
    """A row per tag: positives, clips, ROC-AUC, PR-AUC (NaN where it cannot be scored); both (B, T)."""
    positives = targets.sum(axis=0).astype(int).tolist()
    columns = (names, positives, [len(targets)] * len(names), *tag_scores(targets, scores))
    return ("tag", "positives", "clips", "roc_auc", "pr_auc"), list(zip(*columns, strict=True))


def class_table(targets: np.ndarray, scores: np.ndarray, names: Sequence[str]) -> Table:
    """A row per class: clips, predicted clips, precision, recall (NaN for 0 / 0); both (B, T)."""
    true, predicted = targets.argmax(axis=1), scores.argmax(axis=1)
    ratios = {"labels": range(len(names)), "average": None, "zero_division": np.nan}
    columns = (
        *(names, np.bincount(true, minlength=len(names)), np.bincount(predicted, minlength=len(names))),
        *(precision_score(true, predicted, **ratios), recall_score(true, predicted, **ratios)),
    )
    return ("class", "clips", "predicted", "precision", "recall"), list(zip(*columns, strict=True))


def tag_figure(targets: np.ndarray, scores: np.ndarray, names: Sequence[str]) -> Figure:
    """Bars of both scores, the best ROC-AUC on top; a stroke where chance is; tags without a score left out.

    Args:
        targets, scores: (B, T), one tag at least that can be scored.
        names: T of them.
    """
    from matplotlib.figure import Figure  # training does without

    roc_auc, pr_auc = tag_scores(targets, scores)
    shown = np.flatnonzero(~np.isnan(roc_auc))
    shown = shown[np.argsort(roc_auc[shown], kind="stable")]
    rows = np.arange(len(shown))
    share = targets[:, shown].mean(axis=0)
    figure = Figure(figsize=(9, 1.4 + 0.21 * len(shown)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    panels = (
        (left, "ROC-AUC", roc_auc[shown], np.full(len(shown), 0.5), "tab:blue"),
        (right, "PR-AUC", pr_auc[shown], share, "tab:orange"),
    )
    for axes, title, values, chance, colour in panels:
        axes.barh(rows, values, color=colour, height=0.75)
        axes.vlines(chance, rows - 0.45, rows + 0.45, color="black", linewidth=1.2, label="chance")
        axes.axvline(values.mean(), color="grey", linestyle="--", label=f"mean {values.mean():.3f}")
        axes.set(xlim=(0, 1), ylim=(-0.6, len(shown) - 0.4), xlabel=title)
        axes.grid(axis="x", alpha=0.3)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=8, frameon=False)
    positives = targets[:, shown].sum(axis=0).astype(int)
    named = zip(shown.tolist(), positives, strict=True)
    left.set_yticks(rows, [f"{names[tag]} ({count})" for tag, count in named])
    left.tick_params(axis="y", labelsize=8, length=0)
    figure.supylabel(f"tag (positives among {len(targets)} clips)", fontsize=9)
    return figure


def confusion_figure(targets: np.ndarray, scores: np.ndarray, names: Sequence[str]) -> Figure:
    """How many clips of each class (rows) were taken for which (columns); both (B, T).

    Of more than MOST_NUMBERED classes there are no numbers, and some of the names.
    """
    from matplotlib.figure import Figure  # training does without

    counts = confusion_matrix(targets.argmax(axis=1), scores.argmax(axis=1), labels=range(len(names)))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    few = len(names) <= MOST_NUMBERED
    size = 2.5 + (0.5 if few else 0.08) * len(names)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count and few:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)
    step = 1 if few else len(names) // 16
    axes.set_xticks(range(0, len(names), step), names[::step], rotation=45, ha="right")
    axes.set_yticks(range(0, len(names), step), names[::step])
    axes.set(xlabel="predicted", ylabel="class", title=f"{len(targets)} clips")
    return figure
