"""`covers embed`: a folder of music becomes an index; run again, it takes only what is new or changed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import numpy as np
from s3prl.downstream.cover_song.cqt.on_device import DeviceCqt
from s3prl.downstream.cover_song.cqt.transform import cqt_columns

from s3prl_pemr.index.manifest import holds_something_else
from s3prl_pemr.index.writer import IndexWriter, sole_index_writer
from s3prl_pemr.launch.outputs import check_file, check_folder
from s3prl_pemr.prepare.build import add_engine_argument, add_jobs_argument
from s3prl_pemr.prepare.datasets.folder import list_folder
from s3prl_pemr.prepare.engine import PROCESSES, make_workers
from s3prl_pemr.prepare.source import Source
from s3prl_pemr.prepare.workers import WorkerDied, decoder_died
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.interruption import Interruption
from s3prl_pemr.safety.whole_file import remove_partials
from s3prl_pemr.store.parts import Shard, ShardRecord, write_shard

from .index import add_track, exists, index_writer, read_index, refuse_other_model, take_over
from .model import DEFAULT, CoverModel, add_model_arguments, open_model, silenced
from .track import Heard, hear, read, with_cqt

HELP = "a folder of audio files into an index"
EXAMPLE = "s3prl-pemr covers embed MUSIC INDEX"
COMMIT_SECONDS = 60
FEW_FILES = 4  # so few take less than starting workers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="its sub-folders are read too")
    parser.add_argument("index", metavar="INDEX", type=Path, help="a folder; what it holds already is kept")
    add_model_arguments(parser, DEFAULT)
    parser.add_argument(
        "--shard", metavar="I/N", type=Shard.parse, help="part I of N alone; `covers join` makes one of them"
    )
    add_jobs_argument(parser)
    add_engine_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    (check_folder if args.index.is_dir() else check_file)(args.index, "INDEX")
    if holds_something_else(args.index):
        raise ValueError(f"INDEX {args.index}: a folder that holds something else; choose another name")
    with sole_index_writer(args.index):
        remove_partials(args.index)  # of versions that wrote one file
        return _embed(args)


def _embed(args: argparse.Namespace) -> int:
    listing = list_folder(args.folder)
    record = args.shard and ShardRecord.of_listing(args.shard, [source.track for source in listing.sources])
    if args.shard and listing.sources:
        listing = listing.part(args.shard)
    sources = listing.sources
    if not sources:
        raise ValueError("; ".join([f"{args.folder}: holds no audio files", *listing.remarks]))
    for line in listing.remarks:
        print(visible(line), file=sys.stderr)
    model = open_model(args.model or DEFAULT, args.device, args.upstream_ckpt)
    known = _known(args.index, model, {source.track for source in sources})
    wanted = [source for source in sources if known.get(source.track, (None,))[0] != _stamp(source)]
    gone = set(known) - {source.track for source in sources}
    writer = index_writer(args.index, model.fingerprint, model.where)
    added = _Added(writer, {track: (segment, own) for track, (_, segment, own) in known.items()})
    with Interruption() as stop:
        try:
            heard = Progress(_heard(wanted, args, model.device), "embed", len(wanted), unit="track")
            for source, found in heard:
                added.add(source, found, model)
                if stop.signal_number():
                    break
        except WorkerDied:
            if not stop.signal_number():  # else the workers had the signal too
                raise
        finally:
            added.forget(gone)
            writer.commit()
    if exists(args.index):
        write_shard(args.index, record)
    status = stop.exit_status() if stop.signal_number() else 0
    return _tell(args, len(sources), len(wanted), len(gone), added, status)


class _Added:
    """What one run puts into an index, and what it has to say of it.

    Args: known: of each track that is there already, its segment and row.
    """

    def __init__(self, writer: IndexWriter, known: dict[str, tuple[str, int]]):
        self.writer, self.known = writer, known
        self.unreadable: list[str] = []
        self.noted: list[str] = []
        self.heard, self._saved = 0, monotonic()

    def add(self, source: Source, heard: Heard, model: CoverModel) -> None:
        """A track that was heard takes the place of what was known of it."""
        self.heard += 1
        if heard.reason:
            self.forget({source.track})
            self.unreadable.append(f"{printable(source.track)}: {heard.reason}")
        else:
            if heard.note:
                self.noted.append(f"{printable(source.track)}: {heard.note}")
            # what a cluster hands over cannot be written to, which torch warns of
            wav, cqt = (np.require(values, requirements="W") for values in (heard.wav, heard.cqt))
            found = model.know(replace(heard, wav=wav, cqt=cqt), source.track)
            self.forget({source.track})
            add_track(self.writer, source.track, silenced(found) if heard.silent else found, _stamp(source))
        if monotonic() - self._saved > COMMIT_SECONDS:
            self.writer.commit()
            self._saved = monotonic()

    def forget(self, tracks: set[str]) -> None:
        """Mark what was known of some tracks as deleted."""
        for track in tracks:
            if track in self.known:
                self.writer.delete(*self.known[track])


def _known(path: Path, model: CoverModel, tracks: set[str]) -> dict[str, tuple[tuple, str, int]]:
    """Stamp of each track of the index so far, and its segment and row there."""
    take_over(path)
    if not exists(path):
        return {}
    index = read_index(path)
    refuse_other_model(index, path, model.fingerprint)
    if len(index) and not tracks & set(index.tracks):
        raise ValueError(
            f"{path}: none of its {len(index)} tracks is in this folder; one index is of one folder: "
            "choose another name"
        )
    stamps, known = map(tuple, index.stamps.tolist()), {}
    for row, (track, stamp) in enumerate(zip(index.tracks, stamps, strict=True)):
        known[track] = stamp, *index.vectors.stored_place(row)
    return known


def _stamp(source: Source) -> tuple[int, int]:
    stamp = source.stamp()
    return stamp.source_bytes, stamp.source_mtime_ns


def _died(path: str) -> Heard:
    return Heard(reason=decoder_died(path).reason)


def _heard(sources: list[Source], args: argparse.Namespace, device: str) -> Iterator[tuple[Source, Heard]]:
    if not device.startswith("cuda"):
        yield from zip(sources, _found(hear, sources, args), strict=True)
        return
    transform = DeviceCqt(device)  # takes eight times as long as reading an mp3: the workers only read
    found = (with_cqt(only_read, transform) for only_read in _found(read, sources, args))
    yield from zip(sources, found, strict=True)


def _found(
    function: Callable[[str], Heard], sources: list[Source], args: argparse.Namespace
) -> Iterator[Heard]:
    paths = [str(source.path) for source in sources]
    if args.engine == PROCESSES and (args.jobs < 2 or len(sources) <= FEW_FILES):
        yield from map(function, paths)
        return
    # loads and compiles what librosa needs, once and not in every worker
    cqt_columns(np.zeros(1, np.float32))
    with make_workers(args.engine, args.jobs) as workers:
        yield from workers.in_order(function, paths, lost=_died)


def _tell(args: argparse.Namespace, sources: int, wanted: int, gone: int, added: _Added, status: int) -> int:
    """What was done, for people. Returns the exit status."""
    index = read_index(args.index) if exists(args.index) else None
    silent = sorted(index.silent_tracks) if index else []
    for line in [f"unreadable: {line}" for line in added.unreadable] + added.noted:
        print(line, file=sys.stderr)
    for track in silent:
        print(f"silent: {printable(track)}: left out of all rankings", file=sys.stderr)
    if status:
        done = sources - wanted + added.heard
        line = f"interrupted: {done} of {sources} tracks are done and kept; the same command again goes on"
        print(line, file=sys.stderr)
        return status
    rows = len(index) if index else 0
    line = (
        f"{args.index}: {rows} tracks, {wanted - len(added.unreadable)} of them new, "
        f"{len(added.unreadable)} unreadable, {gone} no longer there, {len(silent)} silent"
    )
    print(visible(line))
    return 0 if rows else 1
