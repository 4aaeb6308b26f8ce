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
        writer = IndexWriter(out, {"made_by": dict(identity)})
        if writer.manifest.about.get("made_by") != dict(identity):
            raise ValueError(f"{out}: of another upstream, or other wishes; choose another OUT")
        wanted = {track: _numbers(stamps[track]) for track in tracks}
        there: set[str] = set()
        if is_index(out):
            index = open_index(out, quick=False)
            for row, track in enumerate(index.names()):
                if wanted.get(track) == tuple(index.get("stamps", row).tolist()):
                    there.add(track)
                else:
                    segment, own = index.place(row)
                    writer.delete(segment.name, int(segment.stored_rows(own)))
        for track in tracks:
            if track not in there:
                _add(writer, track, wanted[track], read_track(folder, track))
        writer.commit()
    return len(open_index(out, quick=False))


def _add(writer: IndexWriter, track: str, stamp: tuple[int, int], found: Embedded) -> None:
    """Its frames, or the one vector of the clip."""
    seconds, vectors = found.rows()
    for second, vector in zip(seconds, vectors, strict=True):
        writer.add(track, vector, stamps=np.array(stamp, np.int64), seconds=np.asarray(second, np.float32))


def _numbers(stamp: Stamp) -> tuple[int, int]:
    return stamp.source_bytes, stamp.source_mtime_ns
