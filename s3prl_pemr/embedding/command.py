"""Vectors of a folder of music by any upstream.

OUT is a folder, which mirrors FOLDER with an .npz a file (embedding: frames; seconds: where each begins;
clip: one vector), or a .parquet (columns path, seconds, vector), a .npy with tracks.tsv beside it, or a
.index, which grows and can be searched (docs/vectors.md). Run again, it takes only what is new or changed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

from s3prl_pemr.audio import SAMPLE_RATE, to_float32
from s3prl_pemr.launch.outputs import check_file, check_folder
from s3prl_pemr.prepare.build import add_engine_argument, add_jobs_argument
from s3prl_pemr.prepare.datasets.folder import list_folder
from s3prl_pemr.prepare.engine import make_workers
from s3prl_pemr.prepare.source import Source
from s3prl_pemr.prepare.workers import decode, decoder_died
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.interruption import Interruption
from s3prl_pemr.safety.sole_writer import sole_writer
from s3prl_pemr.safety.whole_file import remove_partials
from s3prl_pemr.store.parts import Shard, ShardRecord, write_shard

from .actors import Batch, embed_in_order
from .embedder import POOLS, Embedder, Wanted, batches
from .files import is_current, write_track
from .index_table import SUFFIX, check_index, write_index
from .tables import TABLES, need_arrow, tracks_file, write_table

HELP = "vectors of a folder of music by any upstream"
EXAMPLE = "s3prl-pemr embed MUSIC VECTORS.parquet --every 10"
READ_AHEAD = 32  # tracks, of which neighbours by length are heard together
BATCH_SECONDS = 240  # of a batch with its padding


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("folder", metavar="FOLDER", type=Path, help="its sub-folders are read too")
    add("out", metavar="OUT", type=Path, help="a folder, FILE.parquet, FILE.npy or NAME.index")
    add("-u", "--upstream", default="pemr", help="of s3prl's hub; default: pemr, whose weights come along")
    add("-k", "--upstream_ckpt", metavar="CKPT", help="its checkpoint")
    add("--layer", type=int, help="of its hidden states, from 0; default: the last")
    add(
        "--pool",
        choices=POOLS,
        default="none",
        help="one vector a track; default: all frames",
    )
    add("--every", metavar="SECONDS", type=float, default=0.0, help="average frames over so long")
    add(
        "--piece",
        metavar="SECONDS",
        type=float,
        help="hear tracks in pieces; of others' upstreams 30 s",
    )
    add("--device", help="cuda where there is one, else cpu")
    add("--batch", type=int, default=8, help="tracks heard together by an upstream of ours; default 8")
    add("--shard", metavar="I/N", type=Shard.parse, help="part I of N alone, by the tracks' names")
    add_jobs_argument(parser)
    add_engine_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    is_table = args.out.suffix in (*TABLES, SUFFIX)
    check = check_index if args.out.suffix == SUFFIX else check_file if is_table else check_folder
    check(args.out, "OUT")
    if args.out.suffix == ".parquet":
        need_arrow()  # before the work, not after it
    folder = args.out.with_name(f"{args.out.name}.parts") if is_table else args.out
    wanted = Wanted(args.upstream, args.upstream_ckpt, args.layer, args.pool, args.every, args.piece)
    with sole_writer(folder, remedy="choose another OUT"):
        for place in (folder, tracks_file(args.out)):
            remove_partials(place)
        return _embed(args, wanted, folder, is_table)


def _embed(args: argparse.Namespace, wanted: Wanted, folder: Path, is_table: bool) -> int:
    listing = list_folder(args.folder)
    record = args.shard and ShardRecord.of_listing(args.shard, [source.track for source in listing.sources])
    if args.shard:
        listing = listing.part(args.shard)
    if not listing.sources:
        raise ValueError("; ".join([f"{args.folder}: holds no audio files", *listing.remarks]))
    for line in listing.remarks:
        print(visible(line), file=sys.stderr)
    embedder = Embedder(wanted, args.device)
    stamps = {source.track: source.stamp() for source in listing.sources}
    todo = [
        source
        for source in listing.sources
        if not is_current(folder, source.track, stamps[source.track], embedder.identity)
    ]
    kept = len(listing.sources) - len(todo)
    print(visible(f"{args.folder}: {len(listing.sources)} tracks, {kept} of them there already"), flush=True)
    new = {source.track for source in todo}
    there = [track for track in stamps if track not in new]
    unreadable: list[str] = []
    samples, begun = 0, time.monotonic()
    # Workers are forked before the progress bar starts a thread.
    with (
        Interruption() as stop,
        _workers(todo, args) as workers,
        Progress(total=len(todo), desc="embed", unit="track") as bar,
    ):
        heard = _batches(todo, workers, args.batch, unreadable, bar)
        for tracks, length, found in embed_in_order(args.engine, embedder, args.device, heard):
            for track, one in zip(tracks, found, strict=True):
                write_track(folder, track, one, stamps[track], embedder.identity)
            there += tracks
            samples += length
            bar.update(len(tracks))
            if stop.signal_number():
                print("interrupted: what is done is kept; the same command again goes on", file=sys.stderr)
                return stop.exit_status()
    for line in unreadable:
        print(visible(f"unreadable: {line}"), file=sys.stderr)
    speed = samples / SAMPLE_RATE / 60 / (time.monotonic() - begun)  # hours a minute
    line = f"{len(todo) - len(unreadable)} new, {len(unreadable)} unreadable"
    line += f", {speed:.1f} hours of music a minute" if samples else ""
    if is_table and there:
        if args.out.suffix == SUFFIX:
            rows = write_index(args.out, folder, sorted(there), stamps, embedder.identity)
            write_shard(args.out, record)
        else:
            rows = write_table(args.out, folder, sorted(there))
        line += f", {rows} rows"
    print(visible(f"saved to {args.out}: {len(there)} tracks, {line}"))
    return 0 if there else 1


def _workers(todo: list[Source], args: argparse.Namespace) -> Any:
    return make_workers(args.engine, min(args.jobs, len(todo))) if todo else nullcontext()


def _batches(
    todo: list[Source], workers: Any, most_tracks: int, unreadable: list[str], bar: Progress
) -> Iterator[Batch]:
    """Tracks that are heard together; what cannot be read is noted in `unreadable`."""
    if not todo:
        return
    paths = [str(source.path) for source in todo]
    decoded = zip(todo, workers.in_order(decode, paths, lost=decoder_died), strict=True)
    while group := list(islice(decoded, READ_AHEAD)):
        readable = []
        for source, one in group:
            if one.samples is None:
                unreadable.append(f"{printable(source.track)}: {one.reason}")
                bar.update()
            else:
                readable.append((source.track, to_float32(one.samples)))
        lengths = [len(wav) for _, wav in readable]
        for places in batches(lengths, most_tracks, BATCH_SECONDS * SAMPLE_RATE):
            yield [readable[place][0] for place in places], [readable[place][1] for place in places]
