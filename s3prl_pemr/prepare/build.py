"""From a listing of sources to a finished store: the part that all data sets share."""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from s3prl_pemr.report.printable import visible
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.interruption import Interruption
from s3prl_pemr.safety.sole_writer import sole_writer
from s3prl_pemr.safety.whole_file import remove_leftovers
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.index import StoreError, Unreadable
from s3prl_pemr.store.parts import Shard, ShardRecord, write_shard
from s3prl_pemr.store.shared_music import shared_lines
from s3prl_pemr.store.writer import StoreWriter, delete_store

from .engine import ENGINES, PROCESSES, make_workers
from .plan import Plan, make_plan
from .source import Listing
from .space import check_space
from .summary import name_some, others_seen, summary_lines
from .workers import Decoded, WorkerDied, decode, decoder_died

LOCK_FILE = "prepare.lock"


def add_build_arguments(parser: argparse.ArgumentParser, source_help: str) -> None:
    """The arguments that every data set's command has; `source_help` says what SRC holds."""
    parser.add_argument("source", metavar="SRC", type=Path, help=source_help)
    parser.add_argument(
        "destination", metavar="DST", type=Path, help="the store; the same command again goes on"
    )
    add_jobs_argument(parser)
    add_engine_argument(parser)
    parser.add_argument(
        "--shard",
        metavar="I/N",
        type=Shard.parse,
        help="write part I of N alone; `prepare join` makes one store of them",
    )
    parser.add_argument("--rebuild", action="store_true", help="delete the store in DST and start over")


def add_jobs_argument(parser: argparse.ArgumentParser) -> None:
    """`--jobs`: all cores where nothing else is said."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parser.add_argument("--jobs", type=_positive, default=cores, help=f"worker processes (default: {cores})")


def add_engine_argument(parser: argparse.ArgumentParser) -> None:
    """`--engine`: processes of this machine where nothing else is said."""
    help_text = "where files are read: processes here, or tasks on the Ray cluster of RAY_ADDRESS"
    parser.add_argument("--engine", choices=ENGINES, default=PROCESSES, help=help_text)


def seed(text: str) -> int:
    """The type of a --seed: 0 or more, as generators want it."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


@dataclass(frozen=True)
class BuildOptions:
    """How a store is built; it does not depend on the first two.

    Attributes:
        jobs: worker processes.
        engine: where they are (engine.py).
        rebuild: delete the store that is there first.
        shard: the part of the listing to be stored; all of it where None.
    """

    jobs: int
    engine: str = PROCESSES
    rebuild: bool = False
    shard: Shard | None = None

    @classmethod
    def of(cls, args: argparse.Namespace) -> "BuildOptions":
        """Those of a command line."""
        return cls(args.jobs, args.engine, args.rebuild, args.shard)


def build_store(listing: Listing, destination: Path, options: BuildOptions) -> int:
    """Bring the store in `destination` to what the listing says; go on where an earlier run was stopped.

    Prints what it finds and, as its last line, a summary.

    Args:
        listing: what to store.
        destination: the store's folder; made if missing.
        options: how.

    Returns: exit status: 0; 1 if nothing was readable; 130 or 143 if a signal stopped it.

    Raises:
        StoreError: nothing is listed, or nothing of it is there, a source was changed, the disk is too small,
            another prepare is running, or a worker process died.
        OSError: the destination cannot be written.
    """
    if not listing.sources:
        raise StoreError(
            f"{listing.root}: there is no audio here; {'; '.join(listing.remarks) or 'the folder is empty'}"
        )
    if not any(os.path.lexists(source.path) for source in listing.sources):
        raise StoreError(
            f"{listing.root}: none of the {len(listing.sources)} listed files is there; "
            f"{others_seen(listing.others)}"
        )
    shard = options.shard
    record = shard and ShardRecord.of_listing(shard, [source.track for source in listing.sources])
    if shard:
        listing = listing.part(shard)
    with sole_writer(destination, LOCK_FILE, "choose another DST"), Interruption() as stop:
        remove_leftovers(destination)
        if options.rebuild:
            delete_store(destination)
        writer = StoreWriter(destination)
        plan = make_plan(listing, writer)
        listing.write_beside(destination)
        write_shard(destination, record)
        line = (
            f"{listing.root}: {len(listing.sources)} tracks; in {destination}: {len(plan.entries)} stored, "
            f"{len(plan.unreadable)} known as unreadable, {len(plan.todo)} to do"
        )
        print(visible(line))
        if plan.changed:
            print(visible(f"{len(plan.changed)} have changed and are replaced: {name_some(plan.changed)}"))
            writer.drop(plan.changed)
            plan = make_plan(listing, writer)
        if plan.relabelled or plan.forgotten:
            writer.replace_tables(plan.entries, plan.unreadable)
        if plan.todo or not writer.finished:
            try:
                _store(listing, plan, writer, options, stop)
            except WorkerDied:
                if not stop.signal_number():  # else the workers had the signal too
                    raise
        if stop.signal_number():
            kept, total = len(writer.entries) + len(writer.unreadable), len(listing.sources)
            print(
                f"interrupted: {kept} of {total} tracks are done; run the same command again to go on",
                file=sys.stderr,
            )
            return stop.exit_status()
    for line in summary_lines(listing, plan, writer, _shared(writer)):
        print(visible(line))
    return 0 if writer.entries else 1


def _shared(writer: StoreWriter) -> list[str]:
    several = len({entry.split for entry in writer.entries} - {""}) > 1
    return shared_lines(AudioStore(writer.path)) if several else []


def _store(
    listing: Listing, plan: Plan, writer: StoreWriter, options: BuildOptions, stop: Interruption
) -> None:
    with make_workers(options.engine, min(options.jobs, len(plan.todo) or 1)) as workers:
        inside = [source for source, _ in plan.todo if listing.holds(source)]
        check_space(writer.path, [str(source.path) for source in inside], workers)
        writer.begin()
        try:
            paths = [str(source.path) for source in inside]
            results = workers.in_order(decode, paths, lost=decoder_died)
            for source, stamp in Progress(plan.todo, "prepare", unit=" tracks"):
                if stop.signal_number():
                    break
                outside = Decoded(None, reason=f"its path leads out of {listing.root}")
                decoded = next(results) if listing.holds(source) else outside
                if decoded.samples is None:
                    row = Unreadable(listing.shown(source), decoded.reason, source.track, stamp)
                    writer.add_unreadable(row)
                else:
                    writer.add(
                        source.track, decoded.samples, source.split, source.labels, decoded.note, stamp
                    )
            if not stop.signal_number():
                writer.finish()
            else:
                writer.commit()
        finally:
            writer.close()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
