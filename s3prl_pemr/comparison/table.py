"""A table of what several upstreams reached in one task."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One upstream's scores on a split of music_tagging.

    `parameters` are those that its features pass through; `seconds` are of training and scoring the head.
    """

    upstream: str
    roc_auc: float
    pr_auc: float
    clips: int
    parameters: int
    seconds: float


def read_row(upstream: str, scores_file: Path, split: str, parameters: int, seconds: float) -> Row:
    """A row from the scores.json of an experiment.

    Raises:
        ValueError: one line: the file is not there, or the split has not been scored.
    """
    if not scores_file.is_file():
        raise ValueError(f"{scores_file}: not there; has -u {upstream} been evaluated?")
    scores = json.loads(scores_file.read_text(encoding="utf-8")).get(split)
    if scores is None:
        raise ValueError(f"{scores_file}: no scores of the {split} split; run -m evaluate -t {split}")
    return Row(upstream, scores["roc_auc"], scores["pr_auc"], scores["clips"], parameters, seconds)


def markdown_table(rows: list[Row]) -> str:
    """The rows in Markdown, in their order."""
    head = "| `-u` | ROC-AUC | PR-AUC | clips | parameters | seconds |\n|---|---|---|---|---|---|\n"
    return head + "".join(
        f"| `{row.upstream}` | {row.roc_auc:.3f} | {row.pr_auc:.3f} | {row.clips} | {row.parameters:,} "
        f"| {row.seconds:.0f} |\n"
        for row in rows
    )
