"""The splits of a store as data sets, checked before time is spent on them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from s3prl.downstream.music_tagging.config import TaggingConfig
from s3prl.downstream.music_tagging.dataset import Clips, CroppedClips
from s3prl.downstream.music_tagging.segments import Segments

from s3prl_pemr.report.printable import printable
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.dataset_name import read_dataset_name
from s3prl_pemr.store.shared_music import shared_lines
from s3prl_pemr.task.data_config import named_store

from .label_fraction import labelled_rows

if TYPE_CHECKING:
    from .task import Task

logger = logging.getLogger(__name__)


class Splits:
    """`train`, `dev` and `test` of the store that the config names.

    Attributes:
        names: the tags, in the order of the targets' columns.
        data_set: what the store holds, by its dataset.json; None where it does not say so.

    Raises: ValueError (one line): no store, or none of its tracks has a label.
    """

    def __init__(self, config: TaggingConfig, task: Task, shortest_samples: int):
        self.config, self.task, self.shortest_samples = config.datarc, task, shortest_samples
        self.scoring, self.training = config.scoring, config.training
        self.store = AudioStore(named_store(self.config.store))
        self.names = task.names(self.store)
        data_set = read_dataset_name(self.store.path)
        self.data_set = str(data_set) if data_set else None
        self._known: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def fingerprints(self) -> dict[str, str]:
        """Of the store, by its path."""
        return {str(self.store.path): self.store.fingerprint}

    def scored(self, split: str) -> Clips:
        """What an evaluation goes through: whole clips, or all their segments."""
        return self._cut(split, self.scoring)

    def trained(self, split: str) -> Clips:
        """What the head of a frozen upstream is trained on: whole clips, or all their segments."""
        return self._cut(split, self.training)

    def _cut(self, split: str, by: str) -> Clips:
        if by == "clip":
            return self.whole(split)
        samples = self.config.crop_samples
        return Segments(self.store, *self._labelled(split), self.shortest_samples, segment_samples=samples)

    def whole(self, split: str) -> Clips:
        """Whole clips. Raises ValueError (one line) for a split that the task or the store has not."""
        return Clips(self.store, *self._labelled(split), self.shortest_samples)

    def crops(self, split: str, seed: int, epoch: int) -> CroppedClips:
        """A random crop of each clip; the same ones for the same seed and epoch."""
        keys = {"crop_samples": self.config.crop_samples, "seed": seed, "epoch": epoch}
        return CroppedClips(self.store, *self._labelled(split), self.shortest_samples, **keys)

    def check(self, splits: Sequence[str]) -> None:
        """Raises ValueError (one line) if one of them cannot be trained on or scored; warns of odd tags."""
        if "segments" in (self.scoring, self.training) and self.config.crop_samples < self.shortest_samples:
            logger.warning(
                "crop_samples %d: every segment ends in silence, up to the %d samples of the upstream",
                self.config.crop_samples,
                self.shortest_samples,
            )
        if "train" in splits:
            for line in shared_lines(self.store, self.config.split_names.values()):
                logger.warning("%s", line)
        for split in splits:
            tracks, targets = self._labelled(split)
            where = f"{self.config.store}, split {self.config.store_split(split)!r}"
            shown = [self.store.tracks[track] for track in tracks]
            self.task.check(targets, self.names, shown, where)
            if split == "train":
                self._tell_training(where)
            short = np.count_nonzero(self.store.length_samples[tracks] < self.shortest_samples)
            if short:
                logger.warning(
                    "%s: %d clips are shorter than %d samples and end in silence",
                    where,
                    short,
                    self.shortest_samples,
                )

    def targets(self, split: str) -> np.ndarray:
        """Of the clips of a split that keep their labels, (clips, T)."""
        return self._labelled(split)[1]

    def training_labels(self) -> dict[str, Any]:
        """What the head is trained on; `tags_without_positives` names the tags that no training clip has."""
        tracks, targets = self._labelled("train")
        unseen = [name for name, seen in zip(self.names, targets.any(axis=0), strict=True) if not seen]
        return {
            "trained_on": self.data_set,
            "label_fraction": self.config.label_fraction,
            "label_seed": self.config.label_seed,
            "training_clips": len(tracks),
            "training_clips_of": len(self.tracks("train")),
            "tags_without_positives": unseen,
        }

    def tracks(self, split: str) -> np.ndarray:
        """A split's tracks, of `train` those too whose labels are not used: int64, (tracks of the split,)."""
        return self.store.select(self.config.store_split(split))

    def _tell_training(self, where: str) -> None:
        labels = self.training_labels()
        if self.config.label_fraction < 1:
            logger.info(
                "%s: %d of %d clips keep their labels (label_fraction %g, label_seed %d)",
                where,
                labels["training_clips"],
                labels["training_clips_of"],
                labels["label_fraction"],
                labels["label_seed"],
            )
        unseen = labels["tags_without_positives"]
        if unseen:
            logger.warning(
                "%s: no clip has %s; it cannot be learned", where, ", ".join(map(printable, unseen))
            )

    def _labelled(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        if split not in self._known:
            tracks = self.tracks(split)
            if split == "train":
                kept = labelled_rows(len(tracks), self.config.label_fraction, self.config.label_seed)
                tracks = tracks[kept]
            self._known[split] = tracks, self.task.targets(self.store, tracks, self.names)
        return self._known[split]
