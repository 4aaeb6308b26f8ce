"""Which tags or numbers a store has, in which order, and those of each clip. T: tags or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

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
                number = "; labels NAME=NUMBER are for task: regression" if "=" in label else ""
                raise ValueError(
                    f"{store.path}: the label {label!r} of {store.tracks[track]} is not in its {TAGS_FILE}; "
                    f"run prepare again, or remove that file to take all labels{number}"
                )
            targets[row, columns[label]] = 1
    return targets


def number_names(store: AudioStore) -> list[str]:
    """The names of the store's tags.txt, else those before the `=` of its labels, sorted.

    Raises: ValueError (one line) if there is none.
    """
    names = read_tags(store.path) or sorted(
        {label.partition("=")[0] for labels in store.labels for label in labels if "=" in label}
    )
    if not names:
        raise ValueError(f"{store.path}: no track has a label NAME=NUMBER, which task: regression needs")
    return names


def numbers(store: AudioStore, tracks: Sequence[int], names: Sequence[str]) -> np.ndarray:
    """The numbers of tracks whose labels are NAME=NUMBER: float32, (tracks, T).

    Raises: ValueError (one line) for a track that has not each of the names once, with a number.
    """
    found = np.full((len(tracks), len(names)), np.nan, np.float32)
    for row, track in enumerate(tracks):
        cells = [label.partition("=") for label in store.labels[track]]
        values = {name: value for name, _, value in cells}
        with suppress(KeyError, ValueError):
            found[row] = [float(values[name]) for name in names]
        if len(values) != len(cells) or not np.isfinite(found[row]).all():
            raise ValueError(
                f"{store.path}: {store.tracks[track]} should have a number for each of {', '.join(names)}, "
                f"as labels NAME=NUMBER, and has {' | '.join(store.labels[track]) or 'none'}"
            )
    return found
