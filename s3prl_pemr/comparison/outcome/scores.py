"""A cell's scores with what they would be over other songs or works, so that two cells can be paired."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s3prl_pemr.boards.evaluation import read_items
from s3prl_pemr.report.bootstrap import drawn_counts, interval_95, left_out_counts
from s3prl_pemr.report.scores_file import SCORES_FILE
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.groups import read_groups

RESAMPLES, SEED = 1_000, 0  # the same for every cell: that is what pairs them
TITLES = {
    "roc_auc": "ROC-AUC", "pr_auc": "PR-AUC", "accuracy": "accuracy",
    "weighted_score": "weighted key score", "r2": "R2",
    "r2_arousal": "R2 arousal", "r2_valence": "R2 valence",
    "map": "MAP", "precision_at_10": "P@10", "mr1": "MR1", "ndcg_at_10": "nDCG@10",
}  # fmt: skip
LOWER_IS_BETTER = ("mr1",)
COVER_COLUMNS = {"map": "average_precision", "precision_at_10": "hits_at_10", "mr1": "first_rank"}


@dataclass(frozen=True)
class Score:
    """A score, and what it is over other songs or works: in each resample and without each (bootstrap.py).

    Where the songs' own scores are not known both are empty, and there are no intervals.
    """

    value: float
    drawn: np.ndarray
    left_out: np.ndarray
    songs: int
    bounds: tuple[float, float] = (0.0, 1.0)

    @property
    def interval(self) -> list[float] | None:
        """95 %, over songs."""
        if not len(self.drawn):
            return None
        return interval_95(self.drawn, self.left_out, self.value, self.songs, self.bounds)

    def less(self, other: Score) -> tuple[float, list[float] | None]:
        """The difference to another system's score of the same clips, and its 95 % interval: paired."""
        difference = self.value - other.value
        if not (len(self.drawn) and len(other.drawn)):
            return difference, None
        drawn, left_out = self.drawn - other.drawn, self.left_out - other.left_out
        width = self.bounds[1] - self.bounds[0]
        if np.isinf(width):  # a scale of which no end is known: twice as wide as what was seen
            width = 2 * float(np.abs(np.concatenate([drawn, left_out, [difference, 1.0]])).max())
        return difference, interval_95(drawn, left_out, difference, self.songs, bounds=(-width, width))


def mean_score(scores: Sequence[Score]) -> Score:
    """The mean over seeds, of the same clips."""
    first = scores[0]
    drawn, left_out = (np.mean([getattr(s, name) for s in scores], axis=0) for name in ("drawn", "left_out"))
    value = float(np.mean([score.value for score in scores]))
    return Score(value, drawn, left_out, first.songs, first.bounds)


def tagging_scores(
    predictions: Path, store: AudioStore, kind: str = "tags", without: frozenset[str] | set[str] = frozenset()
) -> dict[str, Score]:
    """Scores of music_tagging by their names, macro over all tags but some.

    Args:
        predictions: predictions-SPLIT.tsv of -m evaluate.
        store: that was scored; it has the labels, and the songs.
        kind: the config's `task`.
        without: tags that are left out.

    Raises: ValueError (one line) for a track whose label is no column of the predictions.
    """
    from s3prl.downstream.music_tagging.labels.task import TASKS
    from s3prl.downstream.music_tagging.scoring.clip_groups import song_numbers

    with predictions.open(encoding="utf-8", newline="") as file:
        (_, *tags), *lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    tracks = [line[0] for line in lines]
    predicted = np.array([line[1:] for line in lines], dtype=np.float64)
    place = {track: number for number, track in enumerate(store.tracks)}
    task = TASKS[kind]
    targets = task.targets(store, [place[track] for track in tracks], tags)
    kept = [column for column, tag in enumerate(tags) if tag not in without]
    tags = [tags[column] for column in kept]
    predicted, targets = predicted[:, kept], targets[:, kept]
    scores = task.metrics(targets, predicted, tags)
    songs = song_numbers(tracks, read_groups(store.path))
    drawn, left_out = (
        task.resampled(targets, predicted, counts, tags)
        for counts in (drawn_counts(songs, RESAMPLES, SEED), left_out_counts(songs))
    )
    count = int(songs.max()) + 1
    return {name: Score(scores[name], drawn[name], left_out[name], count, task.bounds) for name in drawn}


def cover_scores(queries: Path) -> dict[str, Score]:
    """Scores of cover_song by their names, over works; see downstream/cover_song/ranking/expectation.py.

    Args:
        queries: per_query-SPLIT.tsv.
    """
    with queries.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    _, works = np.unique([row["work"] for row in rows], return_inverse=True)
    means, found = _GroupMeans(works), {}
    for name, column in COVER_COLUMNS.items():
        values = np.array([float(row[column]) for row in rows]) / (10 if name == "precision_at_10" else 1)
        found[name] = means.score(values, (1.0, np.inf) if name == "mr1" else (0.0, 1.0))
    return found


@dataclass(frozen=True)
class BoardScores:
    """What `s3prl-pemr mteb` left of a task's split: its main score, and how many items of what it is of."""

    scores: dict[str, Score]
    items: int
    over: str
    parameters: int


def board_scores(out: Path, split: str) -> BoardScores:
    """Scores of the one task in a folder.

    Args:
        out: --out of `s3prl-pemr mteb`.
    """
    ((task, entry),) = json.loads((out / SCORES_FILE).read_text(encoding="utf-8")).items()
    found, items = entry["splits"][split], read_items(out, task, split)
    score = Score(found["score"], np.zeros(0), np.zeros(0), 0)
    if items:
        _, groups, values = zip(*items, strict=True)
        score = _GroupMeans(np.array(groups)).score(np.array(values))
    return BoardScores({entry["metric"]: score}, len(items), found.get("over", ""), entry["parameters"])


class _GroupMeans:
    """Means of items that belong together in groups, numbered from 0: (items,)."""

    def __init__(self, groups: np.ndarray):
        self.groups, self.sizes = groups, np.bincount(groups)
        numbers = np.arange(len(self.sizes))
        self.weights = drawn_counts(numbers, RESAMPLES, SEED), left_out_counts(numbers)

    def score(self, values: np.ndarray, bounds: tuple[float, float] = (0.0, 1.0)) -> Score:
        """The mean of values (items,), which can be within bounds."""
        sums = np.bincount(self.groups, weights=values)
        drawn, left_out = ((weights @ sums) / (weights @ self.sizes) for weights in self.weights)
        return Score(float(values.mean()), drawn, left_out, len(self.sizes), bounds)


def counted(expdir: Path, split: str) -> int:
    """Clips or queries' tracks that a cell's scores are of, from its scores.json."""
    entry = json.loads((expdir / SCORES_FILE).read_text(encoding="utf-8"))[split]
    return int(entry["clips"] if "clips" in entry else entry["tracks"])
