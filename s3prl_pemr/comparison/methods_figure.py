"""The table of `make compare-demo` as a picture."""

from __future__ import annotations

from matplotlib.figure import Figure

from s3prl_pemr.report.scores_table import SCORES

from .cells import FLOOR
from .methods_table import BUDGETS, Results, spread

MARKERS = dict(zip(BUDGETS, ("o", "s"), strict=True))


def methods_figure(results: Results, score: str = "roc_auc") -> Figure:
    """A score of each method at both budgets with its bounds (methods_table.py: spread), the first on top.

    The floor is a line through all of them: there is no budget to it.
    """
    names = [name for name in results if name != FLOOR]
    figure = Figure(figsize=(8, 1.2 + 0.45 * len(names)), layout="constrained")
    axes = figure.subplots()
    for place, (budget, marker) in enumerate(MARKERS.items()):
        values, errors = [], []
        for name in names:
            mean, low, high = spread([pair[place] for pair in results[name]], score)
            values.append(mean)
            errors.append((max(mean - low, 0), max(high - mean, 0)))
        heights = [row + 0.3 * (place - 0.5) for row in range(len(names))]
        axes.errorbar(
            values, heights, xerr=list(zip(*errors, strict=True)) or None,
            fmt=marker, capsize=3, label=budget,
        )  # fmt: skip
    if FLOOR in results:
        mean, low, high = spread([pair[0] for pair in results[FLOOR]], score)
        axes.axvline(mean, color="gray", linestyle="--", label=f"{FLOOR}: no pretraining")
        axes.axvspan(low, high, color="gray", alpha=0.12)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel(SCORES[score])
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, fontsize=9)
    return figure
