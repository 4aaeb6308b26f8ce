"""OUT.index: the vectors of all tracks as an index that grows (s3prl_pemr/index). R: rows.

A row has the track's path as its name, `seconds` where it begins, and the file's `stamps`: run again, only
what is new or changed is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from s3prl_pemr.index.manifest import holds_something_else, is_index
from s3prl_pemr.index.reader import open_index
from s3prl_pemr.index.writer import IndexWriter, sole_index_writer
from s3prl_pemr.launch.outputs import check_file, check_folder
from s3prl_pemr.store.index import Stamp

from .embedder import Embedded
from .files import read_track

SUFFIX = ".index"


def check_index(out: Path, flag: str) -> None:
    """Whether it can be written. Raises ValueError (one line)."""
    (check_folder if out.is_dir() else check_file)(out, flag)
    if holds_something_else(out):
        raise ValueError(f"{flag} {out}: a folder that holds something else; choose another name")


def write_index(
    out: Path,
    folder: Path,
    tracks: Sequence[str],
    stamps: Mapping[str, Stamp],
    identity: Mapping[str, Any],
) -> int:
    """Bring OUT to what the tracks' own files say: rows of the others are marked as deleted.

    Args:
        out: the index.
        folder: of the tracks' own files.
        tracks: whose rows are wanted.
        stamps: of their audio.
        identity: what decides the vectors.

    Returns: R; raises OSError, and ValueError (one line) where OUT is of another upstream or other wishes.
    """
    with sole_index_writer(out):
        index = open_index(out, quick=False) if is_index(out) else None
        writer = IndexWriter(out, {"made_by": dict(identity)})
        if writer.manifest.about.get("made_by") != dict(identity):
            raise ValueError(f"{out}: of another upstream, or other wishes; choose another OUT")
        wanted = {track: _numbers(stamps[track]) for track in tracks}
        there: set[str] = set()
        if index:
            found = index.gather("stamps", np.arange(len(index))).tolist()
            for row, (track, stamp) in enumerate(zip(index.names(), found, strict=True)):
                if wanted.get(track) == tuple(stamp):
                    there.add(track)
                else:
                    writer.delete(*index.stored_place(row))
        for track in tracks:
            if track not in there:
                _add(writer, track, wanted[track], read_track(folder, track))
        writer.commit()
    return len(open_index(out, quick=False))


def _add(writer: IndexWriter, track: str, stamp: tuple[int, int], found: Embedded) -> None:
    """Its frames, or the one vector of the clip: all of a track or none, whatever comes in between."""
    seconds, vectors = found.rows()
    stamps = np.tile(np.array(stamp, np.int64), (len(vectors), 1))
    writer.add_rows(track, vectors, stamps=stamps, seconds=np.asarray(seconds, np.float32))


def _numbers(stamp: Stamp) -> tuple[int, int]:
    return stamp.source_bytes, stamp.source_mtime_ns
