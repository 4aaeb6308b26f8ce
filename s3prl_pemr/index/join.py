"""`index join`, and `covers join`: indexes of several machines become one to be searched; nothing is copied.

Each part keeps its own approximate search; their best are put together. Add to the parts, and the joined
index has it. Parts that were written with `--shard I/N` have to be there all.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.store.parts import check_whole

from .manifest import Manifest, is_index, read_manifest, write_manifest
from .reader import open_index
from .writer import sole_index_writer

HELP = "make one index of several, without copying"
EXAMPLE = "s3prl-pemr index join INDEX PARTS/*"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("index", metavar="INDEX", type=Path, help="the joined index: lists its parts")
    parser.add_argument("parts", metavar="PART", type=Path, nargs="+", help="an index of the same model")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line) and OSError."""
    if is_index(args.index) and not read_manifest(args.index).parts:
        raise ValueError(f"{args.index}: an index with rows of its own; choose another INDEX")
    with sole_index_writer(args.index):
        manifest = joined(args.index, args.parts)
        args.index.mkdir(exist_ok=True)
        write_manifest(args.index, manifest)
    rows = len(open_index(args.index, quick=False))
    print(visible(f"{args.index}: {len(args.parts)} parts, {rows} rows"))
    return 0


def joined(folder: Path, parts: list[Path]) -> Manifest:
    """What stands for some indexes. Raises ValueError (one line) where they do not go together."""
    found = [read_manifest(part) for part in parts]
    check_whole(parts)
    seen: dict[str, Path] = {}
    for part, manifest in zip(parts, found, strict=True):
        if manifest.parts:
            raise ValueError(f"{part}: stands for others; join those themselves")
        if manifest.about.get("made_by") != found[0].about.get("made_by"):
            raise ValueError(f"{part}: made by another model than {parts[0]}")
        for name in open_index(part, quick=False).names():
            if name in seen:
                raise ValueError(f"{printable(name)} is in {seen[name]} and in {part}")
            seen[name] = part
    there = [os.path.relpath(part.resolve(), folder.resolve()) for part in parts]
    return Manifest(found[0].about, parts=tuple(there))
