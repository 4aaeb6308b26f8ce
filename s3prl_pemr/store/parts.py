"""A store in parts: what a part says of itself, shard.json, and the folder that stands for all of them.

N machines write a part each, of the tracks whose names fall to it: none has to know of the others. The joined
store is a folder whose store.json lists the parts' folders; audio and indexes stay where they are.
"""

from __future__ import annotations

import json
import os
from argparse import ArgumentTypeError
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from xxhash import xxh32_intdigest

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.safety.whole_file import write_whole

from .index import REBUILD, STATE_FILE, StoreError, encode

SHARD_FILE = "shard.json"
JOINED_FORMAT = 2  # of store.json; 1 is a store with audio of its own


@dataclass(frozen=True)
class Shard:
    """Part `number` (from 1) of `of`."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """I/N as it is typed. Raises argparse's error."""
        number, slash, of = text.partition("/")
        if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise ArgumentTypeError("must be I/N with 1 <= I <= N, for instance 3/16")
        return cls(int(number), int(of))

    def holds(self, track: str) -> bool:
        """Whether a track falls to this part: by its name alone.

        A checksum such as CRC-32 would leave parts of numbered files empty: it is linear in their digits.
        """
        return xxh32_intdigest(encode(track)) % self.of == self.number - 1


@dataclass(frozen=True)
class ShardRecord:
    """shard.json: the part, and which listing it is of: `listed` tracks, sha256 over their sorted names."""

    number: int
    of: int
    listed: int
    listing: str

    @classmethod
    def of_listing(cls, shard: Shard, tracks: Iterable[str]) -> ShardRecord:
        """The record of a part of these tracks."""
        names = sorted(tracks)
        return cls(shard.number, shard.of, len(names), sha256(encode("\n".join(names))).hexdigest())


def write_shard(folder: Path, record: ShardRecord | None) -> None:
    """Write shard.json; remove it where the store is no part. Raises OSError."""
    if record is None:
        (folder / SHARD_FILE).unlink(missing_ok=True)
    else:
        write_whole(folder / SHARD_FILE, (json.dumps(asdict(record)) + "\n").encode())


def read_shard(folder: Path) -> ShardRecord | None:
    """What the store is a part of; None where it is none. Raises StoreError for a damaged file."""
    path = folder / SHARD_FILE
    if not path.exists():
        return None
    try:
        return ShardRecord(**json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise StoreError(f"{path}: damaged; {REBUILD}") from error


def check_whole(folders: Sequence[Path]) -> None:
    """Raises StoreError where parts of one listing are missing, named twice, or of several listings."""
    read = {folder: read_shard(folder) for folder in folders}
    records = {folder: record for folder, record in read.items() if record is not None}
    if not records:
        return  # of their own: any may be joined
    bare = [folder for folder in read if folder not in records]
    if bare:
        raise StoreError(f"{bare[0]}: was not written with --shard, others were; join parts of one kind")
    first = records[folders[0]]
    for folder, record in records.items():
        if (record.of, record.listing) != (first.of, first.listing):
            raise StoreError(
                f"{folder}: part {record.number}/{record.of} of {record.listed} tracks, {folders[0]} is part "
                f"{first.number}/{first.of} of {first.listed}: not of one listing; make all of them again"
            )
    numbers = [record.number for record in records.values()]
    missing = sorted(set(range(1, first.of + 1)) - set(numbers))
    if missing:
        raise StoreError(f"parts {', '.join(map(str, missing))} of {first.of} are missing")
    if len(numbers) != first.of:
        raise StoreError(f"{len(numbers)} folders for {first.of} parts: one is named twice")


def write_joined(folder: Path, parts: Sequence[Path]) -> None:
    """Make a folder stand for its parts, found relative to it. Raises OSError."""
    there = [os.path.relpath(part.resolve(), folder.resolve()) for part in parts]
    state = {"format": JOINED_FORMAT, "sample_rate": SAMPLE_RATE, "complete": True, "parts": there}
    write_whole(folder / STATE_FILE, (json.dumps(state, indent=1) + "\n").encode())
