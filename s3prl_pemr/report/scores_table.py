"""A table of what several upstreams reached in one task."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

SCORES = {"roc_auc": "ROC-AUC", "pr_auc": "PR-AUC"}


@dataclass(frozen=True)
class Row:
    """One upstream's scores on a split of music_tagging.

    `scores` and their `intervals` (95 %) by their names in SCORES; `parameters` are those that its features
    pass through; `seconds` are what it took: training and scoring the head; in methods_table.py, pretraining.
    `head` says which head, where there are several.
    """

    upstream: str
    scores: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    clips: int
    parameters: int
    seconds: float
    head: str = ""


def read_row(upstream: str, scores_file: Path, split: str, parameters: int, seconds: float) -> Row:
    """A row from the scores.json that -m evaluate wrote.

    Raises:
        ValueError: one line: the file is not there, or the split has not been scored.
    """
    if not scores_file.is_file():
        raise ValueError(f"{scores_file}: not there; has -u {upstream} been evaluated?")
    found = json.loads(scores_file.read_text(encoding="utf-8")).get(split)
    if found is None or "interval_95" not in found:
        raise ValueError(f"{scores_file}: no scores of the {split} split; run -m evaluate -t {split}")
    scores = {name: found[name] for name in SCORES}
    intervals = {name: tuple(found["interval_95"][name]) for name in SCORES}
    return Row(upstream, scores, intervals, found["clips"], parameters, seconds)


def markdown_table(rows: list[Row]) -> str:
    """The rows in Markdown, in their order; each score with its interval."""
    names = " | ".join(SCORES.values())
    head = f"| `-u` | head | {names} | clips | parameters | seconds |\n|---|---|---|---|---|---|---|\n"
    return head + "".join(map(_line, rows))


def _line(row: Row) -> str:
    scores = [
        f"{row.scores[name]:.3f} [{low:.3f}, {high:.3f}]" for name, (low, high) in row.intervals.items()
    ]
    cells = [f"`{row.upstream}`", row.head, *scores, row.clips, f"{row.parameters:,}", f"{row.seconds:.0f}"]
    return f"| {' | '.join(map(str, cells))} |\n"
