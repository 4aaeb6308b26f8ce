"""`covers duplicates`: groups of versions in a collection: every track is a query against the others."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from s3prl_pemr.prepare.engine import PROCESSES
from s3prl_pemr.report.printable import printable
from s3prl_pemr.report.progress import Progress

from . import embed
from .index import CoverIndex, exists, read_index
from .model import DEFAULT, add_model_arguments
from .ranking import false_alarm, rank

HELP = "groups of versions within an index, or a folder of audio files"
EXAMPLE = "s3prl-pemr covers duplicates INDEX"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("index", metavar="INDEX", type=Path, help="or a folder, embedded for this alone")
    parser.add_argument(
        "--false-alarms", metavar="P", type=float, default=0.05,
        help="tracks go together if unrelated ones are as good with a chance of at most P (default: 0.05)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="a JSON list of groups")
    add_model_arguments(parser, f"{DEFAULT}, for a folder; an index has its own")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    if exists(args.index) or not args.index.is_dir():
        return _tell_groups(read_index(args.index), args)
    with TemporaryDirectory() as folder:
        index = Path(folder) / "INDEX"
        wanted = {
            **vars(args),
            "folder": args.index,
            "index": index,
            "jobs": os.cpu_count(),
            "shard": None,
            "engine": PROCESSES,
        }
        with redirect_stdout(sys.stderr):  # the groups alone are for programs
            status = embed.run(argparse.Namespace(**wanted))
        return status or _tell_groups(read_index(index), args)


def _tell_groups(index: CoverIndex, args: argparse.Namespace) -> int:
    silent = set(index.silent_rows)
    rows = [row for row in range(len(index)) if row not in silent]
    group = {row: {row} for row in rows}
    for row in Progress(rows, "duplicates", unit="track"):
        matches = rank(index.known[row], index, top=1, without=row)
        chance = false_alarm([match.score for match in matches])
        if chance is None:
            raise ValueError(f"{args.index}: {len(rows)} tracks are too few to tell covers from others")
        if chance <= args.false_alarms:
            _join(group, row, matches[0].row)
    groups = sorted({frozenset(members) for members in group.values() if len(members) > 1}, key=min)
    named = [sorted(index.vectors.name(row) for row in members) for members in groups]
    if args.json:
        print(json.dumps(named))
        return 0
    for number, tracks in enumerate(named, start=1):
        print(f"{number}:")
        for track in tracks:
            print(f"  {printable(track)}")
    print(f"{len(named)} groups of versions among {len(rows)} tracks; each track's best match was looked at")
    return 0


def _join(group: dict[int, set[int]], one: int, other: int) -> None:
    merged = group[one] | group[other]
    for row in merged:
        group[row] = merged
