"""`prepare cqt`: the CQT columns that `-d cover_song` needs of a store, computed before it asks for them.

N machines compute those of a part each, `prepare cqt PARTS/$I`: the joined store has them all.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from s3prl_pemr.loops.device import choose_device
from s3prl_pemr.prepare.build import add_engine_argument, add_jobs_argument
from s3prl_pemr.report.printable import visible
from s3prl_pemr.store import AudioStore

HELP = "the CQT of a store's tracks, which cover_song needs; of a part by each machine"
EXAMPLE = "s3prl-pemr prepare cqt STORE"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("store", metavar="STORE", type=Path, help="a folder that prepare wrote, or a part")
    add_jobs_argument(parser)
    add_engine_argument(parser)
    parser.add_argument("--device", default="cpu", help="cuda: there instead of in workers; default cpu")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line) and OSError."""
    from .columns import SECONDS
    from .joined import columns_of  # librosa: --help does without

    transform = None
    if choose_device(args.device) != "cpu":
        from .on_device import DeviceCqt

        transform = DeviceCqt(args.device)
    store = AudioStore(args.store)
    columns = columns_of(store, args.jobs, args.engine, transform).columns
    print(visible(f"{args.store}: CQT of {len(store)} tracks, {columns.sum() * SECONDS / 3600:.2f} hours"))
    return 0
