"""Distances of queries to a collection, in the text format of MIREX audio cover song identification.

COLLECTION and QUERIES are lists of audio files, a path a line; a query may be in the collection. OUT has the
system's name, a numbered line a file, then a row a query: its number, and its distance to each file of the
collection. Files that are silent or cannot be read are as far from all others as can be.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from s3prl_pemr import __version__
from s3prl_pemr.covers.model import DEFAULT, CoverModel, add_model_arguments, open_model
from s3prl_pemr.covers.track import Known, hear
from s3prl_pemr.launch.outputs import check_file
from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.prepare.workers import Workers
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.whole_file import whole_file

from .collection import Collection

HELP = "distances of queries to a collection, as MIREX wants them"
EXAMPLE = "s3prl-pemr covers mirex COLLECTION.txt QUERIES.txt OUT.txt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("collection", metavar="COLLECTION", type=Path, help="a list, a path a line")
    parser.add_argument("queries", metavar="QUERIES", type=Path, help="another")
    parser.add_argument("out", metavar="OUT", type=Path, help="the distance matrix, a text file")
    parser.add_argument(
        "--aligned", type=int, default=20, metavar="N",
        help="put a query's N nearest in order by alignment, as identify does (default: 20)",
    )  # fmt: skip
    parser.add_argument("--name", help="of the system, the first line of OUT")
    add_model_arguments(parser, DEFAULT)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes that read audio")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    if args.aligned < 0:
        raise ValueError("--aligned is a number of candidates, at least 0")
    check_file(args.out, "OUT")
    collection, queries = read_list(args.collection), read_list(args.queries)
    files = list(dict.fromkeys([*collection, *queries]))  # what is no part of the collection comes behind it
    model = open_model(args.model or DEFAULT, args.device, args.upstream_ckpt)
    known = list(_known(files, model, args.jobs))
    if not any(known[: len(collection)]):
        raise ValueError(f"{args.collection}: none of its {len(collection)} files can be heard")
    numbers = {path: number for number, path in enumerate(files)}
    asked = [numbers[path] for path in queries]
    rows = distances(known, len(collection), asked, args.aligned)
    name = args.name or f"s3prl-pemr {__version__} {Path(model.where).name}"
    with whole_file(args.out) as file:
        write_matrix(file, visible(name), files, len(collection), asked, rows)
    print(visible(f"{args.out}: {len(queries)} queries, {len(collection)} files"))
    return 0


def read_list(path: Path) -> list[str]:
    """Paths of a list, as they stand there. Raises ValueError (one line): empty, double, or not there."""
    try:
        lines = path.read_bytes().decode("utf-8-sig", "surrogateescape").split("\n")
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from error
    files = [line.strip() for line in lines if line.strip()]
    if not files:
        raise ValueError(f"{path}: lists no files")
    double = [file for file, count in Counter(files).items() if count > 1]
    if double:
        raise ValueError(f"{path}: lists {len(double)} files twice: {name_some(double)}")
    missing = [file for file in files if not Path(file).is_file()]
    if missing:
        raise ValueError(
            f"{path}: {len(missing)} of its {len(files)} files are not there: {name_some(missing)}"
        )
    return files


def distances(
    known: Sequence[Known | None], collection: int, queries: Sequence[int], aligned: int
) -> Iterable[np.ndarray]:
    """A row a query, (collection,): exp(-similarity), above 0, and 0 for the query itself.

    The order is that of `covers evaluate --aligned` (collection.py).

    Args:
        known: of all files; None of what cannot be heard.
        collection: how many of them, from the first on, are ranked.
        queries: places in `known`.
        aligned: how many of a query's nearest are aligned.
    """
    ranked = Collection(known[:collection], aligned)
    for query in Progress(queries, "mirex", unit="query"):
        itself = query if query < collection else None
        found = np.exp(-ranked.similarities(known[query], itself))
        if itself is not None:
            found[itself] = 0.0
        yield found


def write_matrix(
    file: BinaryIO, name: str, files: Sequence[str], collection: int, queries: Sequence[int],
    rows: Iterable[np.ndarray],
) -> None:  # fmt: skip
    r"""The text: `name`, `N<TAB>path` a file, `Q/R<TAB>1<TAB>2...`, and `N<TAB>distance...` a query.

    Source: music-ir.org/mirex, 2008 and later: Audio Cover Song Identification, "Output File".

    Args:
        files: paths; the first `collection` of them are the columns.
        queries: places in `files`, (Q,).
        rows: distances, (collection,) each.
    """
    numbered = [f"{number}\t{path}" for number, path in enumerate(files, start=1)]
    header = "\t".join(["Q/R", *map(str, range(1, collection + 1))])
    file.write("".join(f"{line}\n" for line in (name, *numbered, header)).encode("utf-8", "surrogateescape"))
    for query, row in zip(queries, rows, strict=True):
        file.write(("\t".join([str(query + 1), *map(repr, row.tolist())]) + "\n").encode())


def _known(files: Sequence[str], model: CoverModel, jobs: int) -> Iterable[Known | None]:
    """What the model knows of each file; None, and a line, of what is silent or cannot be read."""
    with Workers(max(1, min(jobs, len(files)))) as workers:
        heard = Progress(workers.in_order(hear, files), "embed", len(files), unit="track")
        for path, found in zip(files, heard, strict=True):
            reason = found.reason or ("silent" if found.silent else "")
            if reason:
                print(f"far from all others: {printable(path)}: {visible(reason)}", file=sys.stderr)
            yield None if reason else model.know(found, path)
