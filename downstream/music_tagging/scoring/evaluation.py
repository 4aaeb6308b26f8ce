"""-m evaluate: a split's scores with intervals and counts, and those of artists that training never heard."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from s3prl.downstream.music_tagging.config import BootstrapConfig
from s3prl.downstream.music_tagging.labels.splits import Splits

from s3prl_pemr.report.bootstrap import INTERVAL_METHOD, drawn_counts, interval_95, left_out_counts, too_few
from s3prl_pemr.store.groups import read_groups
from s3prl_pemr.store.index import StoreError

from .clip_groups import by_new_artists, song_numbers
from .scored_clips import ScoredClips

if TYPE_CHECKING:
    from ..labels.task import Task

logger = logging.getLogger(__name__)


class Evaluation:
    """What -m evaluate says beyond the scores themselves.

    Args:
        splits: of the store; the groups.tsv beside it is read here.
        task: of labels/task.py.
        config: of the bootstrap.

    Raises: StoreError (one line) if that file is damaged.
    """

    def __init__(self, splits: Splits, task: Task, config: BootstrapConfig):
        self.splits, self.task, self.config = splits, task, config
        self.groups = read_groups(splits.store.path)

    def results(self, split: str, clips: ScoredClips, names: Sequence[str]) -> dict[str, Any]:
        """The split's scores and counts, with those of its `artist_disjoint` clips (None: there are none)."""
        return {
            "data_set": self.splits.data_set,
            "split": self.splits.config.store_split(split),
            **self._scores(clips, names),
            "artist_disjoint": None if split == "train" else self._artist_disjoint(split, clips, names),
        }

    def _scores(self, clips: ScoredClips, names: Sequence[str]) -> dict[str, Any]:
        scores = self.task.metrics(clips.targets, clips.scores, names)
        songs = song_numbers(clips.tracks, self.groups)
        count = int(songs.max()) + 1
        drawn = drawn_counts(songs, self.config.resamples, self.config.seed)
        resampled, left_out = (
            self.task.resampled(clips.targets, clips.scores, counts, names)
            for counts in (drawn, left_out_counts(songs))
        )
        return {
            **scores,
            "songs": count if self.groups else None,
            "interval_95": {
                name: interval_95(values, left_out[name], scores[name], count, self.task.bounds)
                for name, values in resampled.items()
            },
            "interval_method": INTERVAL_METHOD,
            "resampled": "songs" if self.groups else "clips",
            "resamples": self.config.resamples,
        }

    def _artist_disjoint(self, split: str, clips: ScoredClips, names: Sequence[str]) -> dict[str, Any] | None:
        if not self.groups or not any(group.artist for group in self.groups.values()):
            return None
        try:
            training = self.splits.tracks("train")
        except StoreError:
            logger.info("%s: the store has no training clips, so no artist is known from training", split)
            return None
        known = [self.splits.store.tracks[track] for track in training]
        rows = by_new_artists(clips.tracks, known, self.groups)
        if len(rows) == 0:
            logger.info("%s: no clip is by an artist without a training clip", split)
            return None
        try:
            return self._scores(clips.rows(rows), names)
        except ValueError as error:
            logger.warning("%s, artists without a training clip, %d clips: %s", split, len(rows), error)
            return None

    def what(self, split: str) -> str:
        """The split by the names that the store and its data set have."""
        return f"{self.splits.config.store_split(split)} of {self.splits.data_set or self.splits.store.path}"

    def tell(self, split: str, results: dict[str, Any]) -> None:
        """Logs what `results` gave."""
        logger.info("%s: %s", split, self.what(split))
        logger.info("%s: %s", split, described(results))
        disjoint = results["artist_disjoint"]
        everyone = disjoint and disjoint["clips"] == results["clips"]
        if everyone:
            logger.info("%s: all of them are by artists without a training clip", split)
        elif disjoint:
            logger.info("%s, artists without a training clip: %s", split, described(disjoint))
        unknown = "" if self.groups else " (no groups.tsv beside the store: songs unknown)"
        logger.info(
            "intervals: 95 %%, %d resamples over %s%s; of the split's sampling only",
            results["resamples"],
            results["resampled"],
            unknown,
        )
        parts = [(split, results), (f"{split}, artists without a training clip", disjoint)]
        for where, part in parts[:1] if everyone else parts:
            few = part and too_few(part[part["resampled"]], part["resampled"])
            if few:
                logger.warning("%s: %s", where, few)


def described(results: dict[str, Any]) -> str:
    """`roc_auc 0.8871 [0.8790, 0.8950], pr_auc ..., 5329 clips, 1106 songs, 50 tags`."""
    scores = [
        f"{name} {results[name]:.4f} [{low:.4f}, {high:.4f}]"
        for name, (low, high) in results["interval_95"].items()
    ]
    songs = [f"{results['songs']} songs"] if results["songs"] is not None else []
    return ", ".join([*scores, f"{results['clips']} clips", *songs, f"{results['tags']} tags"])
