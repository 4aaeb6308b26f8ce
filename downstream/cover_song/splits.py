"""The splits of the task's stores: tracks and their works, checked before time is spent on them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.report.printable import printable
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.shared_music import shared_lines
from s3prl_pemr.task.data_config import named_store

from .config import DataConfig

logger = logging.getLogger(__name__)
SHORT_SECONDS = 2.0


@dataclass(frozen=True)
class Split:
    """Some tracks of a store.

    Attributes:
        where: for messages.
        store: the audio.
        tracks: indices in the store, (tracks,).
        works: the work of each track, (tracks,).
    """

    where: str
    store: AudioStore
    tracks: np.ndarray
    works: list[str]

    @property
    def names(self) -> list[str]:
        """The tracks' names."""
        return [self.store.tracks[track] for track in self.tracks]


class Splits:
    """`train`, `dev` and `test` of the config's store, and a split per test store."""

    def __init__(self, config: DataConfig):
        self.config = config
        self._stores: dict[Path, AudioStore] = {}

    def __getitem__(self, split: str) -> Split:
        """Raises ValueError (one line) for what there is not, and for tracks without exactly one work."""
        folder, name = self.config.store_and_split(split)
        path = Path(named_store(folder)).resolve()
        store = self._stores.setdefault(path, self._stores.get(path) or AudioStore(folder))
        tracks = store.select(name)
        where = f"{folder}, split {name!r}"
        wrong = [track for track in tracks if len(store.labels[track]) != 1]
        if wrong:
            raise ValueError(
                f"{where}: cover_song needs one label a track, its work; {len(wrong)} tracks have another "
                f"number, the first: {store.tracks[wrong[0]]} has {len(store.labels[wrong[0]])}"
            )
        works = [store.labels[track][0] for track in tracks]
        if split == "train" and self.config.train_works:
            kept = self._drawn_works(where, works)
            chosen = np.array([work in kept for work in works])
            tracks, works = tracks[chosen], [work for work in works if work in kept]
        return Split(where, store, tracks, works)

    def _drawn_works(self, where: str, works: Sequence[str]) -> set[str]:
        names, count = sorted(set(works)), self.config.train_works
        if count > len(names):
            raise ValueError(f"{where}: train_works is {count}, and it has {len(names)} works")
        drawn = np.random.default_rng(self.config.works_seed).permutation(len(names))[:count]
        return {names[number] for number in drawn}

    def fingerprints(self) -> dict[str, str]:
        """Of the stores that were asked for so far, by their paths."""
        return {str(store.path): store.fingerprint for store in self._stores.values()}

    def check_training(self) -> None:
        """Raises ValueError (one line) if `train` cannot be learned from; says what is odd about it."""
        train = self["train"]
        versions = Counter(train.works)
        if len(versions) < 2:
            raise ValueError(f"{train.where}: one work only ({train.works[0]!r}): nothing to tell apart")
        singles = sorted(work for work, count in versions.items() if count == 1)
        if singles:
            logger.warning(
                "%s: %d of %d works have one version, nothing to learn their covers from; the first: %s",
                train.where, len(singles), len(versions), printable(singles[0]),
            )  # fmt: skip
        _tell_odd_tracks(train)

    def check_retrieval(self, splits: Sequence[str], against_training: bool) -> None:
        """Raises ValueError (one line) if one of them cannot be scored; says what is odd about it.

        Args:
            splits: names as -t takes them.
            against_training: also look for works, and other music, that are trained on.
        """
        if against_training:
            for line in shared_lines(self["train"].store, self.config.split_names.values()):
                logger.warning("%s", line)
        for name in splits:
            split = self[name]
            versions = Counter(split.works)
            if max(versions.values()) < 2:
                raise ValueError(
                    f"{split.where}: none of its {len(split.tracks)} tracks has another version of its work "
                    "there: nothing to score"
                )
            distractors = sum(count == 1 for count in versions.values())
            if distractors:
                logger.warning(
                    "%s: %d works have one version; they are ranked and are no queries",
                    split.where, distractors,
                )  # fmt: skip
            known = (
                set(versions) & set(self["train"].works) if against_training and name != "train" else set()
            )
            if known and split.store is self["train"].store:
                logger.warning(
                    "%s: %d works are trained on too: %s",
                    split.where,
                    len(known),
                    ", ".join(map(printable, sorted(known)[:5])),
                )
            _tell_odd_tracks(split)


def _tell_odd_tracks(split: Split) -> None:
    short = split.tracks[split.store.length_samples[split.tracks] < SHORT_SECONDS * SAMPLE_RATE]
    silent = [track for track in split.tracks if split.store.notes[track] == "silent"]
    for tracks, what in ((short, "shorter than 2 s"), (silent, "silent")):
        if len(tracks):
            logger.warning(
                "%s: %d tracks are %s and say little, the first: %s",
                split.where, len(tracks), what, printable(split.store.tracks[tracks[0]]),
            )  # fmt: skip
