"""What few_labels.py found, as a picture."""

from __future__ import annotations

from matplotlib.figure import Figure

from .few_labels import FRACTIONS, UPSTREAMS, Row


def labels_figure(rows: list[Row]) -> Figure:
    """PR-AUC with its interval over songs, a panel for each fraction of the labels."""
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    axes = figure.subplots(1, len(FRACTIONS), sharex=True, sharey=True)
    for axis, fraction in zip(axes, FRACTIONS, strict=True):
        of = {row.upstream: row.scores["pr_auc"] for row in rows if row.fraction == fraction}
        for place, upstream in enumerate(UPSTREAMS):
            score, (low, high) = of[upstream].value, of[upstream].interval
            color = "tab:blue" if upstream == "pemr" else "tab:gray"
            axis.plot([low, high], [place, place], color=color, linewidth=2)
            axis.plot(score, place, "o", color=color)
            axis.annotate(
                f"{score:.2f}", (score, place), (0, 6), textcoords="offset points", ha="center", fontsize=8
            )
        axis.set_yticks(range(len(UPSTREAMS)), UPSTREAMS)
        axis.set_title(f"{fraction:.0%} of the labels", fontsize=10, loc="left")
        axis.set(xlabel="PR-AUC, 95 % intervals over songs", ylim=(-0.5, len(UPSTREAMS) - 0.3))
        axis.spines[["top", "right"]].set_visible(False)
    return figure
