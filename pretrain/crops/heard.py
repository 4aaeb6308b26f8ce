"""Which tracks of a store pretraining hears, and what a checkpoint says of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.dataset_name import read_dataset_name

AUTO, ALL, TRAIN = "auto", "all", "train"
HEARD = "Heard"  # a checkpoint's key


def heard_tracks(store: AudioStore, split: str) -> np.ndarray:
    """The tracks that `datarc.split` names: int64, (tracks that are heard,).

    Args:
        store: the audio.
        split: AUTO is the split TRAIN where the store has it, else every track; ALL is every track, and so is
            '', which stood for it in version 0.1.0; any other word is a split of the store.

    Raises:
        StoreError: one line: no track has that split.
    """
    if split == AUTO:
        split = TRAIN if TRAIN in store.splits else ALL
    return store.select("" if split == ALL else split)


def heard_record(store: AudioStore, tracks: np.ndarray) -> dict[str, Any]:
    """What a checkpoint keeps as HEARD: data set and split scheme (None: not known), fingerprint, counts."""
    data_set = read_dataset_name(store.path)
    return {
        "data_set": data_set.name if data_set else None,
        "data_set_split": data_set.split if data_set else None,
        "fingerprint": store.fingerprint,
        "splits": dict(sorted(Counter(store.splits[track] for track in tracks).items())),
    }


def heard_line(store: AudioStore, tracks: np.ndarray) -> str:
    """`STORE: 18706 of 25860 tracks are heard (train 18706), 7154 left out (test 5329, valid 1825)`."""
    heard = Counter(store.splits[track] for track in tracks)
    left_out = Counter(store.splits) - heard
    line = f"{store.path}: {len(tracks)} of {len(store)} tracks are heard ({_counts(heard)})"
    return f"{line}, {left_out.total()} left out ({_counts(left_out)})" if left_out else line


def _counts(splits: Counter) -> str:
    return ", ".join(f"{name or 'no split'} {splits[name]}" for name in sorted(splits))
