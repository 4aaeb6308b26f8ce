"""`prepare verify`: every track of a store against the checksum that its index has of it."""

from __future__ import annotations

import argparse
import sys
import zlib
from dataclasses import replace
from pathlib import Path

from s3prl_pemr.report.printable import visible
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.sole_writer import sole_writer
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.index import Stamp
from s3prl_pemr.store.writer import StoreWriter

from .build import LOCK_FILE
from .summary import name_some

HELP = "check a store's audio against its checksums"
EXAMPLE = "s3prl-pemr prepare verify STORE"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("store", metavar="STORE", type=Path, help="a folder that prepare wrote")
    parser.add_argument(
        "--repair", action="store_true", help="mark damaged tracks: prepare, run again, decodes them anew"
    )


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status, 1 for damage; raises StoreError and OSError."""
    store = AudioStore(args.store)
    damaged, count = damaged_tracks(store), len(store)
    if not damaged:
        print(visible(f"{args.store}: all {count} tracks are as they were written"))
        return 0
    remedy = "run prepare with --rebuild, or verify with --repair and then the same prepare again"
    if args.repair:
        for folder in store.folders:
            _mark(folder, damaged)
        remedy = "marked: the same prepare command again decodes them anew"
    line = f"{args.store}: {len(damaged)} of {count} tracks are damaged: {name_some(damaged)}; {remedy}"
    print(visible(line), file=sys.stderr)
    return 1


def damaged_tracks(store: AudioStore) -> list[str]:
    """Names of the tracks whose audio is not what was written."""
    return [
        track
        for number, track in enumerate(Progress(store.tracks, "verify", unit="track"))
        if zlib.crc32(store.read(number)) != store.crc32[number]
    ]


def _mark(folder: Path, damaged: list[str]) -> None:
    """As if their sources had changed: no file has this stamp."""
    with sole_writer(folder, LOCK_FILE):
        writer = StoreWriter(folder)
        entries = [
            replace(entry, stamp=Stamp(-2, -2)) if entry.track in set(damaged) else entry
            for entry in writer.entries
        ]
        writer.replace_tables(entries, writer.unreadable)
