"""`index accelerate`, `covers accelerate`: an approximate search for a large index, and what it misses.

From 50,000 rows on it is an inverted file with product quantisation (IVF-PQ); fewer are quickest searched one
by one. What is found is put in order by exact cosines. Rows that are added later are searched exactly; run it
again when they have become many. HNSW, which can be chosen, takes far longer to build.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from s3prl_pemr.report.printable import visible

from .approximate import Approximation, build, kind_for
from .manifest import read_manifest
from .reader import VectorIndex, open_index
from .segment import VECTORS
from .writer import sole_index_writer

HELP = "build an approximate search (faiss) for a large index"
EXAMPLE = "s3prl-pemr index accelerate INDEX"
KINDS = ("auto", "hnsw", "ivfpq")
QUERIES, BEST = 100, (10, 100)
ENOUGH = 0.98  # of the best 10: with more effort where it is less, up to EFFORT times as much
EFFORT = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("index", metavar="INDEX", type=Path)
    parser.add_argument("--kind", choices=KINDS, default="auto", help="default: by the number of rows")
    parser.add_argument("--seed", type=int, default=0, help="draws what is trained and tried on (default: 0)")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    if read_manifest(args.index).parts:
        raise ValueError(f"{args.index}: stands for indexes in parts; accelerate each of them")
    with sole_index_writer(args.index):
        index = open_index(args.index, quick=False)
        kind = kind_for(len(index)) if args.kind == "auto" else args.kind
        if kind == "exact":
            print(visible(f"{args.index}: {len(index)} rows are quickest searched one by one; nothing built"))
            return 0
        rng = np.random.default_rng(args.seed)
        begun = perf_counter()
        quick = build([segment for segment in index.segments if segment.stored], kind, rng)
        seconds = perf_counter() - begun
        tune(index, quick, rng)
        quick.write(args.index)
    recall = ", ".join(f"recall@{best} {value:.3f}" for best, value in quick.settings.recall.items())
    print(
        visible(
            f"{args.index}: {kind} of {len(index)} rows in {seconds:.0f} s; {recall} against exact search"
        )
    )
    return 0


def tune(index: VectorIndex, quick: Approximation, rng: np.random.Generator) -> None:
    """Double an approximation's effort until it finds enough; its settings say how much it finds then.

    Rows of the index are the queries; a row's finding itself does not count.
    """
    asked = np.sort(rng.choice(len(index), min(QUERIES, len(index)), replace=False))
    queries = index.gather(VECTORS, asked)
    exact = index.nearest(queries, BEST[-1] + 1)
    searched = VectorIndex(index.segments, index.about, [quick])
    most = EFFORT * quick.settings.effort
    while True:
        recall = recalls(exact, searched.nearest(queries, BEST[-1] + 1), asked)
        quick.settings = replace(quick.settings, recall=recall)
        if recall[str(BEST[0])] >= ENOUGH or 2 * quick.settings.effort > most:
            return
        quick.settings = replace(quick.settings, effort=2 * quick.settings.effort)


def recalls(exact: list, found: list, asked: np.ndarray) -> dict[str, float]:
    """Which part of the exact search's best 10 and 100 is found, without the rows that were asked about."""
    shares = {}
    for best in BEST:
        own = [
            [[row for row in rows if row != query][:best] for rows, _ in answers]
            for answers, query in zip(zip(exact, found, strict=True), asked, strict=True)
        ]
        parts = [len(set(true) & set(got)) / max(len(true), 1) for true, got in own]
        shares[str(best)] = float(np.mean(parts))
    return shares
