"""Music that is in two splits: the same recording, or another of the same song or by the same artist.

A score on a split says little of new music where training heard it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

import numpy as np

from s3prl_pemr.report.printable import printable

from .groups import read_groups
from .index import StoreError
from .reader import AudioStore

COMPARED_SAMPLES = 16_000  # in the middle: of a million tracks some share a checksum of 32 bits by chance
SILENT = "silent"


def shared_lines(store: AudioStore, splits: Iterable[str] | None = None) -> list[str]:
    """A line for each kind of music that two splits share; another for damaged groups.

    Args:
        store: the audio; artists and songs are those of its groups.tsv.
        splits: only between these; all that the store has if not given. Tracks without a split count as none.
    """
    asked = set(store.splits if splits is None else splits) - {""}
    split_of = {row: split for row, split in enumerate(store.splits) if split in asked}
    if len(set(split_of.values())) < 2:
        return []
    lines = _told(store, "recordings", _same_audio(store, split_of), split_of)
    try:
        groups = read_groups(store.path) or {}
    except StoreError as error:
        return [*lines, str(error)]
    for kind in ("song", "artist"):
        rows = defaultdict(list)
        for row in split_of:
            group = groups.get(store.tracks[row])
            if group and getattr(group, kind):
                rows[getattr(group, kind)].append(row)
        lines += _told(store, f"{kind}s", list(rows.values()), split_of)
    return lines


def _same_audio(store: AudioStore, split_of: dict[int, str]) -> list[list[int]]:
    """Rows of tracks with the same samples, silence left out."""
    alike = defaultdict(list)
    for row in split_of:
        if store.notes[row] != SILENT:
            alike[int(store.crc32[row]), int(store.length_samples[row])].append(row)
    found = defaultdict(list)
    for key, rows in alike.items():
        for row in rows if len(rows) > 1 else ():
            start = max((key[1] - COMPARED_SAMPLES) // 2, 0)
            middle: np.ndarray = store.read(row, start, min(COMPARED_SAMPLES, key[1]))
            found[(*key, middle.tobytes())].append(row)
    return list(found.values())


def _told(store: AudioStore, what: str, alike: list[list[int]], split_of: dict[int, str]) -> list[str]:
    """One line on the sets of rows that are in more than one split."""
    counts: dict[tuple[str, ...], int] = defaultdict(int)
    first: tuple[int, int] | None = None
    for rows in alike:
        of = {split_of[row]: row for row in reversed(rows)}
        for pair in combinations(sorted(of), 2):
            counts[pair] += 1
            first = first or (of[pair[0]], of[pair[1]])
    if first is None:
        return []
    pairs = ", ".join(f"{count} in {a} and {b}" for (a, b), count in sorted(counts.items()))
    names = " and ".join(printable(store.tracks[row]) for row in first)
    return [f"{store.path}: {what} that two splits share: {pairs}; for instance {names}"]
