"""`covers duplicates`: groups of versions in an index: every track is a query against the others."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from s3prl_pemr.report.printable import printable
from s3prl_pemr.report.progress import Progress

from .index import read_index
from .ranking import false_alarm, rank

HELP = "groups of versions within an index"
EXAMPLE = "s3prl-pemr covers duplicates INDEX"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("index", metavar="INDEX", type=Path)
    parser.add_argument(
        "--false-alarms", metavar="P", type=float, default=0.05,
        help="tracks go together if unrelated ones are as good with a chance of at most P (default: 0.05)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="a JSON list of groups")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    index = read_index(args.index)
    rows = [row for row, known in enumerate(index.known) if not known.silent]
    group = {row: {row} for row in rows}
    for row in Progress(rows, "duplicates", unit="track"):
        matches = rank(index.known[row], index.known, [other for other in rows if other != row], top=1)
        chance = false_alarm([match.score for match in matches])
        if chance is None:
            raise ValueError(f"{args.index}: {len(rows)} tracks are too few to tell covers from others")
        if chance <= args.false_alarms:
            _join(group, row, matches[0].row)
    groups = sorted({frozenset(members) for members in group.values() if len(members) > 1}, key=min)
    named = [sorted(index.tracks[row] for row in members) for members in groups]
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
