"""Splits drawn for music that comes without: by whole folders, so that an album stays together."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np

from s3prl_pemr.store.index import StoreError

from .source import Source

SPLITS = ("train", "valid", "test")
UNITS = ("folder", "track")


@dataclass(frozen=True)
class DrawnSplit:
    """--split-by, --seed and --split-unit.

    Attributes:
        percent: of train, valid and test; they add up to 100.
        seed: of the order that units are drawn in.
        unit: `folder`: the tracks that lie in one folder stay together; those that lie in SRC itself, or in
            the very folder that is their label, are drawn one by one. `track`: all are.
    """

    percent: tuple[int, int, int]
    seed: int = 0
    unit: str = "folder"

    def __str__(self) -> str:
        return f"{'/'.join(map(str, self.percent))} by {self.unit}, seed {self.seed}"


def shares(text: str) -> tuple[int, int, int]:
    """The type of --split-by: `80/10/10`."""
    parts = text.split("/")
    if len(parts) != len(SPLITS) or not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError("expected train/valid/test in percent, e.g. 80/10/10")
    train, valid, test = map(int, parts)
    if train + valid + test != 100 or not train:
        raise argparse.ArgumentTypeError(f"{text} must add up to 100, with something to train on")
    return train, valid, test


def draw_splits(sources: Sequence[Source], drawn: DrawnSplit) -> tuple[list[Source], str]:
    """The sources with a split each, and a line that says what was drawn. Those that have one keep it.

    Units are drawn label by label, and each goes to the split that is furthest behind its share of the
    tracks so far: every label comes in every split as often as whole units allow.

    Raises:
        StoreError: one line: there are too few units for a split that was asked for.
    """
    units: dict[str, list[Source]] = {}
    for source in sources:
        if not source.split:
            units.setdefault(_unit(source, drawn.unit), []).append(source)
    if not units:
        return list(sources), f"split {drawn}: nothing to draw, every track has a split"
    generator = np.random.default_rng(drawn.seed)
    place = dict(zip(sorted(units), generator.permutation(len(units)), strict=True))
    ordered = sorted(units, key=lambda unit: (units[unit][0].labels, place[unit]))
    shares_of_one = np.array(drawn.percent) / 100
    given, split_of = np.zeros(len(SPLITS)), {}
    for unit in ordered:
        behind = shares_of_one * (given.sum() + len(units[unit])) - given
        chosen = int(np.argmax(np.where(shares_of_one > 0, behind, -np.inf)))
        given[chosen] += len(units[unit])
        split_of.update((source.track, SPLITS[chosen]) for source in units[unit])
    empty = [
        name for name, share, count in zip(SPLITS, drawn.percent, given, strict=True) if share and not count
    ]
    if empty:
        kinds = Counter("folder" if len(tracks) > 1 else "single track" for tracks in units.values())
        there = " and ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in sorted(kinds.items()))
        asked = "/".join(map(str, drawn.percent))
        raise StoreError(
            f"--split-by {asked}: {there} leave nothing for {' and '.join(empty)}; draw single tracks with "
            "--split-unit track, or take larger shares"
        )
    counts = ", ".join(f"{name} {int(count)}" for name, count in zip(SPLITS, given, strict=True) if count)
    line = f"split {drawn}: {len(units)} units drawn; tracks: {counts}"
    return [replace(source, split=split_of.get(source.track, source.split)) for source in sources], line


def _unit(source: Source, unit: str) -> str:
    folder = PurePosixPath(source.track).parent.as_posix()
    alone = unit == "track" or folder == "." or source.labels == (folder,)
    return source.track if alone else f"{folder}/"
