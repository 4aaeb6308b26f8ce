"""A section as a picture: which rows are better than the reference, and by how much."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .results import Section
from .scores import LOWER_IS_BETTER, TITLES

DONE, REFERENCE, TIE = "black", "tab:gray", "tab:gray"


def section_figure(section: Section, metric: str) -> Figure:
    """Left each row's score, its 95 % interval and seeds; right its paired difference to the reference.

    A row whose difference leaves out zero is black, a tie is gray. Without any difference there is no right.
    """
    lines = [line for line in section.lines if line.seeds]
    figure = Figure(figsize=(9, 1.5 + 0.42 * len(lines)), layout="constrained")
    differences = [section.difference(line, metric) for line in lines]
    compared = any(differences)
    left, *rest = figure.subplots(1, 2 if compared else 1, sharey=True, squeeze=False)[0]
    for height, (line, found) in enumerate(zip(lines, differences, strict=True)):
        mean = line.mean(metric)
        tie = found is not None and (found[1] is None or found[1][0] <= 0 <= found[1][1])
        colour = TIE if found is None or tie else DONE
        _interval(left, height, mean.value, mean.interval, colour)
        seeds = [score.value for score in line.seeds[metric]]
        if len(seeds) > 1:
            left.plot(seeds, [height + 0.2] * len(seeds), "|", color=colour, markersize=6)
        paper = section.paper(line, metric)
        if paper is not None:
            left.plot([paper], [height], "x", color="tab:red", label="the paper")
        if found is not None:
            _interval(rest[0], height, *found, colour)
    score = TITLES.get(metric, metric)
    worse = ", lower is better" if metric in LOWER_IS_BETTER else ""
    left.set_yticks(range(len(lines)), [line.row.name for line in lines])
    left.set_ylim(len(lines) - 0.4, -0.6)
    left.set_xlabel(f"{score}{worse}")
    for right in rest:
        right.axvline(0, color=REFERENCE, linestyle="--", linewidth=1)
        right.set_xlabel(f"{score} less that of {section.reference}")
    count = lines[0].counted if lines else 0
    what, _ = section.nouns
    question, key = "how good is it?", ""
    if compared:
        question = f"is any row better than {section.reference}?"
        key = "; black: by more than chance, gray: a tie"
    figure.suptitle(f"{section.name}, {section.split}: {question} ({count} {what}{key})", fontsize=10)
    return figure


def _interval(axes: Axes, height: float, value: float, ends: list[float] | None, colour: str) -> None:
    ends = ends or [value, value]  # not known
    errors = [[max(value - ends[0], 0)], [max(ends[1] - value, 0)]]
    axes.errorbar([value], [height], xerr=errors, fmt="o", color=colour, capsize=3, markersize=5)
