"""What an evaluation leaves in the experiment's folder beside scores.json: tables as TSV, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from s3prl_pemr.report.files import write_png, write_tsv
from s3prl_pemr.report.printable import printable

from .scored_clips import ScoredClips

if TYPE_CHECKING:
    from ..labels.task import Task


def write_predictions(folder: Path, split: str, clips: ScoredClips, names: Sequence[str]) -> None:
    """predictions-SPLIT.tsv: `track`, then a column per tag with its probability."""
    rows = [(track, *scores) for track, scores in zip(clips.tracks, clips.scores, strict=True)]
    write_tsv(folder / f"predictions-{split}.tsv", ("track", *names), rows)


def write_details(
    folder: Path, split: str, task: Task, clips: ScoredClips, names: Sequence[str], title: str
) -> None:
    """per-tag-SPLIT.tsv and .png; of genre per-class-SPLIT.tsv and confusion-SPLIT.png, titled."""
    for name, table in task.tables.items():
        write_tsv(folder / f"{name}-{split}.tsv", *table(clips.targets, clips.scores, names))
    for name, draw in task.figures.items():
        figure = draw(clips.targets, clips.scores, names)
        figure.suptitle(printable(title), fontsize=10)
        write_png(folder / f"{name}-{split}.png", figure)


def top_lines(names: Sequence[str], scores: np.ndarray, count: int) -> list[str]:
    """The tags with the highest of the scores, (tags,), best first: lines `0.931  piano`."""
    best = np.argsort(-scores, kind="stable")[:count]
    return [f"{scores[tag]:.3f}  {names[tag]}" for tag in best]
