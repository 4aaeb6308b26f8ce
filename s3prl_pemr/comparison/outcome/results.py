"""From finished cells to the lines of a report: means over seeds, intervals, differences to the reference."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from s3prl_pemr.comparison.cells import HeadCell
from s3prl_pemr.comparison.plan import BOARD, Row, Task
from s3prl_pemr.comparison.schedule import Outcome
from s3prl_pemr.report.parameters import parameter_count
from s3prl_pemr.report.scores_file import SCORES_FILE
from s3prl_pemr.store import AudioStore

from .scores import Score, board_scores, counted, cover_scores, mean_score, tagging_scores


@dataclass
class Line:
    """A row of one section: its scores by their names, one a seed that is done.

    Attributes:
        counted: clips, tracks or items.
        songs: songs or works, which intervals are over.
        over: what these are of a board's items.
        pretraining_seconds: over all seeds.
        failures: by seed, a line each.
    """

    row: Row
    seeds: dict[str, list[Score]] = field(default_factory=dict)
    counted: int = 0
    songs: int = 0
    over: str = ""
    parameters: int = 0
    seconds: float = 0.0
    pretraining_seconds: float = 0.0
    peak_gb: float = 0.0
    failures: dict[int, str] = field(default_factory=dict)

    def mean(self, metric: str) -> Score:
        """Over the seeds that are done."""
        return mean_score(self.seeds[metric])

    def deviation(self, metric: str) -> float | None:
        """Sample standard deviation over the seeds; None for one."""
        values = [score.value for score in self.seeds[metric]]
        return statistics.stdev(values) if len(values) > 1 else None


@dataclass
class Section:
    """A task's split: its lines in the plan's order, and the reference's among them."""

    name: str
    split: str
    task: Task
    lines: list[Line]
    reference: str

    @property
    def metrics(self) -> list[str]:
        """Names of the scores, of the first line that has any."""
        return next((list(line.seeds) for line in self.lines if line.seeds), [])

    @property
    def nouns(self) -> tuple[str, str]:
        """What is counted, and what intervals are over."""
        over = next((line.over for line in self.lines if line.over), "items")
        of = {"cover_song": ("tracks", "works"), BOARD: ("items", over)}
        return of.get(self.task.task, ("clips", "songs"))

    def difference(self, line: Line, metric: str) -> tuple[float, list[float] | None] | None:
        """To the reference: paired over songs; None of the reference itself, or where one is missing."""
        reference = next((other for other in self.lines if other.row.name == self.reference), None)
        if reference is None or line is reference or not (line.seeds and reference.seeds):
            return None
        return line.mean(metric).less(reference.mean(metric))

    def paper(self, line: Line, metric: str) -> float | None:
        """What the paper has of it, where what is scored is the paper's."""
        if self.task.paper_clips.get(self.split) != line.counted:
            return None
        return line.row.paper.get(self.name, {}).get(metric)


def sections(
    ended: Mapping[HeadCell, Outcome], pretrained: Mapping[str, float], reference: str
) -> list[Section]:
    """The report's content.

    Args:
        ended: heads in the plan's order, each with how it ended.
        pretrained: seconds of each pretraining by its name, over all seeds.
        reference: the row's name.
    """
    stores: dict[str, AudioStore] = {}
    found: dict[tuple[str, str], Section] = {}
    for cell, outcome in ended.items():
        for split in cell.task.splits:
            section = found.setdefault(
                (cell.task_name, split), Section(cell.task_name, split, cell.task, [], reference)
            )
            line = next((line for line in section.lines if line.row.name == cell.row.name), None)
            if line is None:
                line = Line(cell.row)
                section.lines.append(line)
            _add(line, cell, outcome, split, stores)
            line.pretraining_seconds = pretrained.get(cell.row.pretrained, 0.0)
    return list(found.values())


def _add(line: Line, cell: HeadCell, outcome: Outcome, split: str, stores: dict[str, AudioStore]) -> None:
    line.seconds += outcome.seconds
    line.peak_gb = max(line.peak_gb, outcome.peak_gb)
    if outcome.failure:
        line.failures[cell.seed] = outcome.failure
        return
    if cell.task.task == BOARD:
        _add_board(line, cell, split)
        return
    if cell.task.task == "cover_song":
        scores = cover_scores(cell.expdir / f"per_query-{split}.tsv")
    else:
        folder = str(cell.place.stores[cell.task.store])
        store = stores.get(folder) or stores.setdefault(folder, AudioStore(folder))
        scores = tagging_scores(cell.expdir / f"predictions-{split}.tsv", store, _kind(cell))
    _add_scores(line, scores)
    line.counted = counted(cell.expdir, split)
    if not line.parameters:
        line.parameters = _parameters(cell, split)


def _add_scores(line: Line, scores: Mapping[str, Score]) -> None:
    for name, score in scores.items():
        line.seeds.setdefault(name, []).append(score)
        line.songs = score.songs


def _add_board(line: Line, cell: HeadCell, split: str) -> None:
    found = board_scores(cell.expdir, split)
    _add_scores(line, found.scores)
    line.counted, line.over, line.parameters = found.items, found.over, found.parameters


def _parameters(cell: HeadCell, split: str) -> int:
    """That the features and, for covers, the embeddings pass through; a tagging head's are not counted."""
    from s3prl.downstream.cover_song.model import HEADS

    entry = json.loads((cell.expdir / SCORES_FILE).read_text(encoding="utf-8"))[split]
    own = entry.get("parameters_without_classifier", 0)
    uses_upstream, _ = HEADS.get(entry.get("head"), (True, 0))
    checkpoint = str(cell.checkpoint) if cell.checkpoint else None
    return own + (parameter_count(cell.upstream, checkpoint) if uses_upstream else 0)


def _kind(cell: HeadCell) -> str:
    """The kind of task, by the settings that the head was trained with."""
    settings = yaml.safe_load((cell.expdir / "config_last.yaml").read_text(encoding="utf-8"))
    return settings["downstream_expert"]["task"]
