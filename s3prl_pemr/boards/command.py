"""Score an upstream or a model of covers on mteb's audio tasks: MAEB has Covers80A2ARetrieval, GTZANGenre ...

TASK is a name of mteb's, or FILE.py:CLASS, a task of one's own. mteb downloads the data. OUT gets results/ as
mteb keeps them, scores.json, and a table of items where a score is their mean. What is there is kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from s3prl_pemr.launch.outputs import check_folder
from s3prl_pemr.report.printable import visible
from s3prl_pemr.safety.sole_writer import sole_writer

from .evaluation import score_task
from .tasks import find_task

HELP = "score an upstream or a model of covers on mteb's audio tasks"
EXAMPLE = "s3prl-pemr mteb GTZANGenre Covers80A2ARetrieval -u pemr --out mteb-pemr"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("tasks", metavar="TASK", nargs="+", help="by mteb's name, or FILE.py:CLASS")
    add("--out", metavar="OUT", type=Path, default=Path("mteb"), help="a folder; default: mteb")
    model = parser.add_mutually_exclusive_group()
    model.add_argument("-u", "--upstream", default="pemr", help="of s3prl's hub; default: pemr")
    model.add_argument(
        "--cover-model", metavar="MODEL", help="instead: ready, ftm2d, or dev-best.ckpt of a cover_song run"
    )
    add(
        "--aligned", metavar="N", type=int,
        help="of a cover model in retrieval: put a query's N nearest in order by alignment",
    )  # fmt: skip
    add("-k", "--upstream_ckpt", metavar="CKPT", help="the upstream's checkpoint")
    add("--layer", type=int, help="of its hidden states, from 0; default: the last")
    add("--pool", choices=("mean", "mean_std"), default="mean", help="over time; default: mean")
    add("--piece", metavar="SECONDS", type=float, help="hear items in pieces; of others' upstreams 30 s")
    add("--device", help="cuda where there is one, else cpu")
    add("--batch", type=int, default=8, help="items at a time; default 8")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    check_folder(args.out, "--out")
    tasks = [find_task(name) for name in args.tasks]
    encoder = _encoder(args)
    with sole_writer(args.out, remedy="choose another --out"):
        for task in tasks:
            entry = score_task(task, encoder, args.out, args.batch)
            for split, found in entry["splits"].items():
                of = (
                    f" ({found['items']} items of {found['groups']} {found['over']})"
                    if "items" in found
                    else ""
                )
                print(visible(f"{task.metadata.name}, {split}: {entry['metric']} {found['score']:.4f}{of}"))
    return 0


def _encoder(args: argparse.Namespace):
    from .aligned_covers import AlignedCovers
    from .encoder import CoverEncoder, UpstreamEncoder

    if args.cover_model is None:
        if args.aligned is not None:
            raise ValueError("--aligned is of --cover-model, not of upstreams")
        return UpstreamEncoder(
            args.upstream, args.upstream_ckpt, args.layer, args.pool, args.piece, args.device
        )
    if args.layer is not None or args.pool != "mean" or args.piece is not None:
        raise ValueError("--layer, --pool and --piece are of upstreams, not of --cover-model")
    if args.aligned is not None:
        return AlignedCovers(args.cover_model, args.aligned, args.device, args.upstream_ckpt)
    return CoverEncoder(args.cover_model, args.device, args.upstream_ckpt)
