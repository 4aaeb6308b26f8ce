"""`covers evaluate`: scores of an index on a list `path<TAB>work`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from s3prl_pemr.index.segment import VECTORS
from s3prl_pemr.launch.outputs import check_folder
from s3prl_pemr.prepare.datasets.labels import read_labels
from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.report.bootstrap import MIN_SONGS
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.store.track_names import likely_roots, match_tracks

from .index import read_index

HELP = "MAP, P@10 and MR1 of an index on a list of works"
EXAMPLE = "s3prl-pemr covers evaluate INDEX works.tsv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("index", metavar="INDEX", type=Path)
    parser.add_argument(
        "list", metavar="LIST", type=Path, help="lines path<TAB>work; paths as in the index, or absolute"
    )
    parser.add_argument(
        "--aligned", type=int, default=0, metavar="N",
        help="put a query's N nearest in order by alignment, as identify does with 20 (default: 0)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, help="a folder for scores.json, the table of queries, the picture"
    )


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    from s3prl.downstream.cover_song.ranking.report import Retrieval  # matplotlib: --help does without
    from s3prl.downstream.cover_song.training_free.chroma import unit_columns
    from s3prl.downstream.cover_song.training_free.rerank import by_alignment

    if args.aligned < 0:
        raise ValueError("--aligned is a number of candidates, at least 0")
    if args.out:
        check_folder(args.out, "--out")
    index = read_index(args.index)
    written = _works(args.list)
    matches = match_tracks(args.list, written, index.tracks, likely_roots(written, index.tracks))
    if not matches.tracks:
        raise ValueError(
            f"{args.list}: none of its {len(written)} tracks is in {args.index}; it has "
            f"{name_some(matches.missing)}, the index {name_some(index.tracks)}"
        )
    works = {track: written[path] for path, track in matches.tracks.items()}
    rows = {track: row for row, track in enumerate(index.tracks)}
    silent = sorted(index.silent_tracks & set(works))
    listed = [track for track in index.tracks if track in works and track not in silent]
    missing = matches.missing
    if not listed:
        raise ValueError(
            f"{args.list}: none of its {len(written)} tracks is in {args.index} but {len(silent)} silent ones"
        )
    for line in matches.remark(args.list):
        print(visible(line), file=sys.stderr)
    for track in missing:
        print(f"not in the index: {printable(track)}", file=sys.stderr)
    if silent:
        print(f"{len(silent)} silent tracks are left out: {name_some(silent)}", file=sys.stderr)
    embeddings = index.vectors.gather(VECTORS, np.array([rows[track] for track in listed]))
    known = [index.known[rows[track]].chroma for track in listed]
    if args.aligned and any(chroma is None for chroma in known):
        raise ValueError(f"{args.index}: of version 0.1, without chroma to align; embed anew")
    chromas = [unit_columns(chroma.astype(np.float32)) for chroma in known] if args.aligned else []
    rerank = by_alignment(chromas, args.aligned)
    found = Retrieval(args.list.stem, listed, [works[track] for track in listed], embeddings, rerank)
    print(visible(found.line))
    if missing:
        print(f"{len(missing)} of {len(written)} listed tracks are not in the index", file=sys.stderr)
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        about = {"index": str(args.index), "model": index.model, "not_in_the_index": len(missing)}
        about["aligned_candidates"] = args.aligned
        about["silent_left_out"] = len(silent)
        found.write(args.out, about)
    works = found.results["works"]
    if works < MIN_SONGS:
        print(f"{works} works: so few say little of a model, whatever the MAP", file=sys.stderr)
        if args.out and found.few_works:
            print(visible(found.few_works), file=sys.stderr)
    return 0


def _works(path: Path) -> dict[str, str]:
    """Work by track. Raises ValueError (one line) for an empty list, a track listed twice, two works."""
    table = read_labels(path)
    if not table:
        raise ValueError(f"{path}: lists no tracks; its lines are path<TAB>work")
    wrong = [track for track, (labels, _) in table.items() if len(labels) != 1]
    if wrong:
        raise ValueError(
            f"{path}: {len(wrong)} tracks have not exactly one work, the first: {printable(wrong[0])}"
        )
    return {track: labels[0] for track, (labels, _) in table.items()}
