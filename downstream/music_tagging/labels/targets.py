"""Which tags a store has, in which order, and which of them each clip has. T: tags."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.tag_list import TAGS_FILE, read_tags


def tag_names(store: AudioStore) -> list[str]:
    """The tags of the store's tags.txt, else every label in it, sorted.

    Raises: ValueError (one line) if there is none.
    """
    names = read_tags(store.path) or sorted({label for labels in store.labels for label in labels})
    if not names:
        raise ValueError(
            f"{store.path}: no track has a label; prepare it with 'prepare mtat', or with 'prepare folder' "
            "and --labels TSV or --label-by-folder"
        )
    return names


def multi_hot(store: AudioStore, tracks: Sequence[int], names: Sequence[str]) -> np.ndarray:
    """1 where a track has the tag: float32, (tracks, T).

    Raises: ValueError (one line) for a label that is not among the names.
    """
    columns = {name: column for column, name in enumerate(names)}
    targets = np.zeros((len(tracks), len(names)), np.float32)
    for row, track in enumerate(tracks):
        for label in store.labels[track]:
            if label not in columns:
                raise ValueError(
                    f"{store.path}: the label {label!r} of {store.tracks[track]} is not in its {TAGS_FILE}; "
                    "run prepare again, or remove that file to take all labels"
                )
            targets[row, columns[label]] = 1
    return targets
