"""Four upstreams with all and with few labels, on the tags that filter banks alone do not solve."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s3prl_pemr.comparison.launchers import evaluate, train
from s3prl_pemr.comparison.stages import Stages
from s3prl_pemr.report.bootstrap import drawn_counts, interval_95, left_out_counts
from s3prl_pemr.report.scores_table import SCORES
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.groups import read_groups

RULER = "fbank_no_cmvn"  # its dev scores, and no other's, decide which tags are compared
UPSTREAMS = (RULER, "mel", "pemr_random", "pemr")
FRACTIONS = (1.0, 0.1)
SOLVED_ROC_AUC = 0.98
RESAMPLES, SEED = 1_000, 0
STAGES = 1 + 2 * len(UPSTREAMS) * len(FRACTIONS)


@dataclass(frozen=True)
class Score:
    """A score, and what it is over other songs: in each resample and without each song (bootstrap.py)."""

    value: float
    drawn: np.ndarray
    left_out: np.ndarray
    songs: int

    @property
    def interval(self) -> list[float]:
        """95 %, over songs."""
        return interval_95(self.drawn, self.left_out, self.value, self.songs)

    def less(self, other: Score) -> tuple[float, list[float]]:
        """The difference to another system's score of the same clips, and its 95 % interval: paired."""
        difference = self.value - other.value
        drawn, left_out = self.drawn - other.drawn, self.left_out - other.left_out
        return difference, interval_95(drawn, left_out, difference, self.songs, bounds=(-1, 1))


@dataclass(frozen=True)
class Row:
    """An upstream's scores, by name of SCORES, with a fraction of the labels."""

    upstream: str
    fraction: float
    scores: dict[str, Score]
    seconds: float


def compare(stages: Stages, folder: Path, store: Path) -> tuple[list[Row], list[str]]:
    """Train and score what is not there yet; returns the rows and the tags that were dropped."""
    audio = AudioStore(store)
    cache = ["--feature_cache", str(folder / "features")]
    rows, solved = [], []
    for upstream in UPSTREAMS:
        for fraction in FRACTIONS:
            name = upstream if fraction == 1 else f"{upstream}-{fraction:.0%}".replace("%", "")
            expdir = folder / name
            settings = {"datarc.store": store}
            if fraction < 1:
                settings["datarc.label_fraction"] = fraction
            names = [f"{what} {name}" for what in ("head", "scores")]
            stages.run(names[0], train("music_tagging", upstream, None, expdir, settings, *cache))
            if upstream == RULER and fraction == 1:
                stages.run(f"dev scores {name}", evaluate(expdir, "dev", *cache))
                solved = solved_tags(expdir / "per-tag-dev.tsv")
            stages.run(names[1], evaluate(expdir, "test", *cache))
            scores = scores_of(expdir / "predictions-test.tsv", audio, set(solved))
            rows.append(Row(upstream, fraction, scores, stages.seconds(*names)))
    return rows, solved


def solved_tags(table: Path) -> list[str]:
    """Tags whose ROC-AUC in a per-tag table is above SOLVED_ROC_AUC."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row["tag"] for row in rows if float(row["roc_auc"] or "nan") > SOLVED_ROC_AUC]


def scores_of(predictions: Path, store: AudioStore, without: set[str]) -> dict[str, Score]:
    """Macro scores over all tags but some, by name of SCORES.

    Args:
        predictions: predictions-SPLIT.tsv of -m evaluate.
        store: that was scored; it has the labels, and the songs.
        without: tags that are left out.

    Raises: ValueError (one line) for a track whose label is no column of the predictions.
    """
    from s3prl.downstream.music_tagging.labels.targets import multi_hot
    from s3prl.downstream.music_tagging.labels.task import Tagging
    from s3prl.downstream.music_tagging.scoring.clip_groups import song_numbers

    with predictions.open(encoding="utf-8", newline="") as file:
        (_, *tags), *lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    tracks = [line[0] for line in lines]
    probabilities = np.array([line[1:] for line in lines], dtype=np.float64)
    place = {track: number for number, track in enumerate(store.tracks)}
    targets = multi_hot(store, [place[track] for track in tracks], tags)
    kept = [column for column, tag in enumerate(tags) if tag not in without]
    probabilities, targets = probabilities[:, kept], targets[:, kept]
    scores = Tagging.metrics(targets, probabilities, [tags[column] for column in kept])
    songs = song_numbers(tracks, read_groups(store.path))
    drawn, left_out = (
        Tagging.resampled(targets, probabilities, counts)
        for counts in (drawn_counts(songs, RESAMPLES, SEED), left_out_counts(songs))
    )
    count = int(songs.max()) + 1
    return {name: Score(scores[name], drawn[name], left_out[name], count) for name in SCORES}


def markdown(rows: list[Row]) -> str:
    """A row for each upstream and fraction."""
    lines = [["`-u`", "labels", *SCORES.values(), "seconds"], ["---"] * (len(SCORES) + 3)]
    for row in rows:
        cells = ["{:.3f} [{:.3f}, {:.3f}]".format(s.value, *s.interval) for s in row.scores.values()]
        lines.append([f"`{row.upstream}`", f"{row.fraction:.0%}", *cells, f"{row.seconds:.0f}"])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def verdict(rows: list[Row]) -> list[str]:
    """A line for each upstream beside `pemr` and fraction: by the interval of the paired difference."""
    lines = []
    for fraction in FRACTIONS:
        of = {row.upstream: row.scores["pr_auc"] for row in rows if row.fraction == fraction}
        pemr = of.pop("pemr")
        for upstream, other in of.items():
            difference, (low, high) = pemr.less(other)
            says = "above" if low > 0 else "below" if high < 0 else "a tie with"
            lines.append(
                f"{fraction:.0%} of the labels: pemr is {says} {upstream}, PR-AUC {difference:+.3f} "
                f"[{low:+.3f}, {high:+.3f}]"
            )
    return lines


def rule(solved: list[str], tags: int) -> str:
    """What was left out, and why, in one line."""
    names = ", ".join(solved) or "none"
    return (
        f"Compared on {tags - len(solved)} of {tags} tags: those that {RULER} solves on the dev split "
        f"(ROC-AUC above {SOLVED_ROC_AUC}) are dropped, before any other score is looked at: {names}."
    )
