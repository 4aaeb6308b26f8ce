"""The table of `make compare-demo`: methods at equal steps and at equal seconds of pretraining."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from s3prl_pemr.report.scores_table import SCORES, Row

BUDGETS = ("equal steps", "equal seconds")


@dataclass(frozen=True)
class Outcome:
    """A cell that is done: its steps, and its scores with the seconds that the steps took."""

    steps: int
    row: Row


Results = dict[str, list[tuple[Outcome, Outcome]]]  # of a method: per seed one outcome for each of BUDGETS


def methods_table(results: Results) -> str:
    """In Markdown, a row per method in their order.

    Seconds are means over the seeds; a score has its 95 % interval (one seed) or the mean and the standard
    deviation over the seeds.
    """
    names = ("steps", "seconds", *SCORES.values())
    titles = [f"{budget}: {name}" if name == "steps" else name for budget in BUDGETS for name in names]
    lines = [["method", *titles, "parameters", "seeds"], ["---"] * (len(titles) + 3)]
    for method, pairs in results.items():
        cells = [cell for outcomes in zip(*pairs, strict=True) for cell in _cells(outcomes)]
        size = pairs[0][0].row.parameters
        lines.append([f"`{method}`", *cells, f"{size:,}", str(len(pairs))])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def spread(outcomes: list[Outcome], score: str) -> tuple[float, float, float]:
    """A score over seeds, and its bounds.

    Returns: one seed: the score and its 95 % interval; more: their mean, and it minus and plus the sample
    standard deviation.
    """
    values = [outcome.row.scores[score] for outcome in outcomes]
    if len(values) == 1:
        return values[0], *outcomes[0].row.intervals[score]
    mean, deviation = statistics.fmean(values), statistics.stdev(values)
    return mean, mean - deviation, mean + deviation


def _cells(outcomes: list[Outcome]) -> list[str]:
    """Steps, seconds and scores of a budget."""
    seconds = statistics.fmean(outcome.row.seconds for outcome in outcomes)
    return [str(outcomes[0].steps), f"{seconds:.0f}", *(_score(outcomes, name) for name in SCORES)]


def _score(outcomes: list[Outcome], name: str) -> str:
    mean, low, high = spread(outcomes, name)
    if len(outcomes) == 1:
        return f"{mean:.3f} [{low:.3f}, {high:.3f}]"
    return f"{mean:.3f} ± {high - mean:.3f}"
