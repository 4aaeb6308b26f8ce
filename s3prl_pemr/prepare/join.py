"""`prepare join`: parts that `prepare ... --shard I/N` wrote become one store; nothing is copied."""

from __future__ import annotations

import argparse
from pathlib import Path

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.safety.sole_writer import sole_writer
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.dataset_name import read_dataset_name, write_dataset_name
from s3prl_pemr.store.groups import read_groups, write_groups
from s3prl_pemr.store.index import INDEX_FILE, STATE_FILE, UNREADABLE_FILE, StoreError, read_unreadable
from s3prl_pemr.store.parts import check_whole, write_joined
from s3prl_pemr.store.shared_music import shared_lines
from s3prl_pemr.store.tag_list import read_tags, write_tags

from .build import LOCK_FILE

HELP = "make one store of the parts that --shard I/N wrote, without copying"
EXAMPLE = "s3prl-pemr prepare join STORE PARTS/*"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("destination", metavar="DST", type=Path, help="the joined store: lists its parts")
    parser.add_argument("parts", metavar="PART", type=Path, nargs="+", help="a folder that prepare wrote")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    if (args.destination / INDEX_FILE).exists():
        raise StoreError(f"{args.destination}: a store with audio of its own; choose another DST")
    parts = [AudioStore(part) for part in args.parts]
    check_whole(args.parts)
    _check_disjoint(parts)
    with sole_writer(args.destination, LOCK_FILE, "choose another DST"):
        (args.destination / STATE_FILE).unlink(missing_ok=True)
        _write_beside(args.destination, args.parts)
        write_joined(args.destination, args.parts)
    store = AudioStore(args.destination)
    for line in shared_lines(store):
        print(visible(f"WARNING: {line}"))
    hours = store.length_samples.sum() / SAMPLE_RATE / 3600
    unreadable = sum(len(read_unreadable(part / UNREADABLE_FILE)[0]) for part in args.parts)
    line = f"{args.destination}: {len(parts)} parts, {len(store)} tracks, {hours:.2f} hours"
    print(visible(f"{line}, {unreadable} unreadable (unreadable.tsv of each part)"))
    return 0


def _check_disjoint(parts: list[AudioStore]) -> None:
    seen: dict[str, Path] = {}
    for part in parts:
        for track in part.tracks:
            if track in seen:
                raise StoreError(f"the track {printable(track)} is in {seen[track]} and in {part.path}")
            seen[track] = part.path


def _write_beside(destination: Path, folders: list[Path]) -> None:
    """dataset.json and tags.txt, which all parts share, and their groups together."""
    for read, write, what in (
        (read_dataset_name, write_dataset_name, "data set"),
        (read_tags, write_tags, "tags"),
    ):
        found = [read(folder) for folder in folders]
        odd = [folder for folder, own in zip(folders, found, strict=True) if own != found[0]]
        if odd:
            raise StoreError(f"{odd[0]}: another {what} than {folders[0]}")
        if found[0]:
            write(destination, found[0])
    groups = [read_groups(folder) for folder in folders]
    if any(own is not None for own in groups):
        write_groups(destination, {track: group for own in groups for track, group in (own or {}).items()})
