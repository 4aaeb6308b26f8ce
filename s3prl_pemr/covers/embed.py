"""`covers embed`: a folder of music becomes an index; run again, it takes only what is new or changed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import numpy as np
from s3prl.downstream.cover_song.cqt.transform import cqt_columns

from s3prl_pemr.launch.outputs import check_file
from s3prl_pemr.prepare.datasets.folder import list_folder
from s3prl_pemr.prepare.source import Source
from s3prl_pemr.prepare.workers import WorkerDied, Workers
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.interruption import Interruption
from s3prl_pemr.safety.sole_writer import sole_writer
from s3prl_pemr.safety.whole_file import remove_partials

from .index import CoverIndex, read_index, refuse_other_model
from .model import DEFAULT, CoverModel, add_model_arguments, open_model, silenced
from .track import Heard, Known, hear

HELP = "a folder of audio files into an index"
EXAMPLE = "s3prl-pemr covers embed MUSIC INDEX"
COMMIT_SECONDS = 60
FEW_FILES = 4  # so few take less than starting workers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="its sub-folders are read too")
    parser.add_argument("index", metavar="INDEX", type=Path, help="a file; what it holds already is kept")
    add_model_arguments(parser, DEFAULT)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes that read audio")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    check_file(args.index, "INDEX")
    with sole_writer(args.index.parent, f".{args.index.name}.lock", "choose another INDEX"):
        remove_partials(args.index)
        return _embed(args)


def _embed(args: argparse.Namespace) -> int:
    listing = list_folder(args.folder)
    sources = listing.sources
    if not sources:
        raise ValueError("; ".join([f"{args.folder}: holds no audio files", *listing.remarks]))
    for line in listing.remarks:
        print(visible(line), file=sys.stderr)
    model = open_model(args.model or DEFAULT, args.device, args.upstream_ckpt)
    known = _known(args.index, model, {source.track for source in sources})
    wanted = [source for source in sources if known.get(source.track, (None, None))[0] != _stamp(source)]
    kept = {source.track for source in sources} - {source.track for source in wanted}
    rows = {track: known[track] for track in kept}
    unreadable, noted, saved = [], [], monotonic()
    with Interruption() as stop:
        try:
            for source, heard in Progress(_heard(wanted, args.jobs), "embed", len(wanted), unit="track"):
                if heard.reason:
                    unreadable.append(f"{printable(source.track)}: {heard.reason}")
                    continue
                if heard.note:
                    noted.append(f"{printable(source.track)}: {heard.note}")
                found = model.know(heard, source.track)
                rows[source.track] = _stamp(source), silenced(found) if heard.silent else found
                if monotonic() - saved > COMMIT_SECONDS:
                    _write(args.index, rows, model)
                    saved = monotonic()
                if stop.signal_number():
                    break
        except WorkerDied:
            if not stop.signal_number():  # else the workers had the signal too
                raise
        finally:
            if rows:
                _write(args.index, rows, model)
    for line in [f"unreadable: {line}" for line in unreadable] + noted:
        print(line, file=sys.stderr)
    silent = [track for track in sorted(rows) if rows[track][1].silent]
    for track in silent:
        print(f"silent: {printable(track)}: left out of all rankings", file=sys.stderr)
    gone = len(set(known) - {source.track for source in sources})
    if stop.signal_number():
        done = len(rows) + len(unreadable)
        print(
            f"interrupted: {done} of {len(sources)} tracks are done and kept; the same command again goes on",
            file=sys.stderr,
        )
        return stop.exit_status()
    line = (
        f"{args.index}: {len(rows)} tracks, {len(wanted) - len(unreadable)} of them new, "
        f"{len(unreadable)} unreadable, {gone} no longer there, {len(silent)} silent"
    )
    print(visible(line))
    return 0 if rows else 1


def _known(path: Path, model: CoverModel, tracks: set[str]) -> dict[str, tuple[tuple, Known]]:
    """Stamp of each track of the index so far, and what is known of it; none of an index without chroma."""
    if not path.exists():
        return {}
    index = read_index(path)
    refuse_other_model(index, path, model.fingerprint)
    if not tracks & set(index.tracks):
        raise ValueError(
            f"{path}: none of its {len(index.tracks)} tracks is in this folder; one index is of one folder: "
            "choose another name"
        )
    stamps = map(tuple, index.stamps.tolist())
    rows = zip(index.tracks, stamps, index.known, strict=True)
    return {track: (stamp, known) for track, stamp, known in rows if known.chroma is not None}


def _stamp(source: Source) -> tuple[int, int]:
    stamp = source.stamp()
    return stamp.source_bytes, stamp.source_mtime_ns


def _heard(sources: list[Source], jobs: int) -> Iterator[tuple[Source, Heard]]:
    paths = [str(source.path) for source in sources]
    if jobs < 2 or len(sources) <= FEW_FILES:
        yield from zip(sources, map(hear, paths), strict=True)
        return
    # loads and compiles what librosa needs, once and not in every worker
    cqt_columns(np.zeros(1, np.float32))
    with Workers(jobs) as workers:
        yield from zip(sources, workers.in_order(hear, paths), strict=True)


def _write(path: Path, rows: dict[str, tuple], model: CoverModel) -> None:
    tracks = sorted(rows)
    stamps = np.array([rows[track][0] for track in tracks], np.int64)
    known = [rows[track][1] for track in tracks]
    CoverIndex(tracks, known, stamps, model.fingerprint, model.where).write(path)
