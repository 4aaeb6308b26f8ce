"""The splits of a store as data sets, checked before time is spent on them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from s3prl_pemr.store import AudioStore

from .config import TaggingConfig
from .dataset import Clips, CroppedClips
from .targets import multi_hot, tag_names

logger = logging.getLogger(__name__)


class Splits:
    """`train`, `dev` and `test` of the store that the config names.

    Attributes:
        names: the tags, in the order of the targets' columns.

    Raises: ValueError (one line): no store, or none of its tracks has a label.
    """

    def __init__(self, config: TaggingConfig, task: type, shortest_samples: int):
        self.config, self.task, self.shortest_samples = config.datarc, task, shortest_samples
        if not self.config.store:
            raise ValueError(
                "datarc.store is empty: name the folder that `python -m s3prl_pemr.prepare` wrote, for "
                "instance -o config.downstream_expert.datarc.store=STORE"
            )
        self.store = AudioStore(self.config.store)
        self.names = tag_names(self.store)
        self._known: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def whole(self, split: str) -> Clips:
        """Whole clips. Raises ValueError (one line) for a split that the task or the store has not."""
        return Clips(self.store, *self._labelled(split), self.shortest_samples)

    def crops(self, split: str, seed: int, epoch: int) -> CroppedClips:
        """A random crop of each clip; the same ones for the same seed and epoch."""
        keys = {"crop_samples": self.config.crop_samples, "seed": seed, "epoch": epoch}
        return CroppedClips(self.store, *self._labelled(split), self.shortest_samples, **keys)

    def check(self, splits: Sequence[str]) -> None:
        """Raises ValueError (one line) if one of them cannot be trained on or scored; warns of odd tags."""
        for split in splits:
            tracks, targets = self._labelled(split)
            where = f"{self.config.store}, split {self.config.store_split(split)!r}"
            shown = [self.store.tracks[track] for track in tracks]
            self.task.check(targets, self.names, shown, where)
            never = [name for name, seen in zip(self.names, targets.any(axis=0), strict=True) if not seen]
            if split == "train" and never:
                logger.warning("%s: no clip has %s; it cannot be learned", where, ", ".join(never))
            short = np.count_nonzero(self.store.length_samples[tracks] < self.shortest_samples)
            if short:
                logger.warning(
                    "%s: %d clips are shorter than %d samples and end in silence",
                    where,
                    short,
                    self.shortest_samples,
                )

    def _labelled(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        if split not in self._known:
            tracks = self.store.select(self.config.store_split(split))
            self._known[split] = tracks, multi_hot(self.store, tracks, self.names)
        return self._known[split]
