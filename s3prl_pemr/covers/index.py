"""The index of a collection: a folder that grows, with what is known of each track, and what made it.

Beside vector and name (s3prl_pemr/index) a row has `stamps` (size in bytes and time of change in ns of its
file), `chroma`, a row of 12 a column, and `pieces`. Versions before wrote one .npz: format 2, or format 1
without chroma and pieces; those are read, and become a folder when they are added to.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from s3prl_pemr.index.manifest import is_index
from s3prl_pemr.index.reader import VectorIndex, open_index
from s3prl_pemr.index.segment import ENDS, NAMES, NORMS, VECTORS, Segment
from s3prl_pemr.index.writer import IndexWriter

from .track import Known

FORMATS = (1, 2)  # of one .npz
CHROMA, PIECES, STAMPS = "chroma", "pieces", "stamps"
TAKING_OVER, BEFORE = ".taking-over", ".before"


class CoverIndex:
    """What is known of each track, by row.

    Attributes:
        vectors: names, embeddings and all else, as it lies on the disk.
        known: of each track, read when it is asked for.
        made_by: the model's fingerprint (model.py).
        model: name of a ready model, or path of a checkpoint, where `identify` looks for it.
    """

    def __init__(self, vectors: VectorIndex):
        self.vectors = vectors
        self.made_by: dict[str, Any] = vectors.about["made_by"]
        self.model: str = vectors.about["model"]
        self.known: Sequence[Known] = _KnownTracks(vectors)

    def __len__(self) -> int:
        return len(self.vectors)

    @cached_property
    def tracks(self) -> list[str]:
        """Paths relative to the folder that was embedded, with `/`, of all rows."""
        return self.vectors.names()

    @property
    def embeddings(self) -> np.ndarray:
        """(tracks, E); zeros where the track is silent (0.1.0 gave it the model's)."""
        return self.vectors.gather(VECTORS, np.arange(len(self)))

    @property
    def stamps(self) -> np.ndarray:
        """Size in bytes and time of change in ns of each file, int64, (tracks, 2)."""
        return self.vectors.gather(STAMPS, np.arange(len(self)))

    @cached_property
    def silent_rows(self) -> list[int]:
        """Tracks without an embedding: they stand in the index so that they are not read again."""
        return self.vectors.empty_rows().tolist()

    @property
    def silent_tracks(self) -> set[str]:
        """Their names."""
        return {self.vectors.name(row) for row in self.silent_rows}


class _KnownTracks(Sequence):
    def __init__(self, vectors: VectorIndex):
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self._vectors)

    def __getitem__(self, row: int) -> Known:  # type: ignore[override]  # rows are asked for one by one
        segment, own = self._vectors.place(row)
        embedding = np.asarray(segment.get(VECTORS, own), np.float32)
        if CHROMA not in segment.arrays:
            return Known(embedding, None, None)
        return Known(embedding, np.array(segment.get(CHROMA, own).T), np.array(segment.get(PIECES, own)))


def index_writer(folder: Path, made_by: dict[str, Any], model: str) -> IndexWriter:
    """The writer of an index of covers; the caller holds its lock."""
    return IndexWriter(folder, {"made_by": made_by, "model": model}, uneven=(CHROMA, PIECES))


def add_track(writer: IndexWriter, track: str, known: Known, stamp: Sequence[int]) -> None:
    """A row of what is known of a track. Raises ValueError (one line)."""
    others = {STAMPS: np.array(stamp, np.int64), CHROMA: known.chroma.T, PIECES: known.pieces}
    writer.add(track, known.embedding, **others)


def exists(path: Path) -> bool:
    """Whether there is an index, of whatever version."""
    return path.is_file() or is_index(path)


def read_index(path: Path) -> CoverIndex:
    """Raises ValueError (one line) where there is none, or none of ours."""
    if not exists(path):
        raise ValueError(f"{path}: no such index; make one with `s3prl-pemr covers embed`")
    vectors = open_index(path) if path.is_dir() else _read_single_file(path)
    if not {"made_by", "model"} <= set(vectors.about):
        raise ValueError(f"{path}: not an index of covers; choose another name")
    return CoverIndex(vectors)


def _read_single_file(path: Path) -> VectorIndex:
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            lines = file["tracks"].tobytes().decode().split("\n")
            arrays = {VECTORS: file["embeddings"], STAMPS: file["stamps"]}
            if "chroma" in file:
                arrays |= {CHROMA: np.ascontiguousarray(file["chroma"].T), PIECES: file["pieces"]}
                arrays[CHROMA + ENDS] = np.cumsum(file["columns"])
                arrays[PIECES + ENDS] = np.cumsum(file["piece_counts"])
        names = [json.loads(line).encode("utf-8", "surrogateescape") for line in lines if line]
        arrays[NAMES] = np.frombuffer(b"".join(names), np.uint8)
        arrays[NAMES + ENDS] = np.cumsum([len(name) for name in names], dtype=np.int64)
        arrays[NORMS] = np.linalg.norm(arrays[VECTORS].astype(np.float64), axis=1).astype(np.float32)
        segment = Segment(path.name, arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not an index of covers, or damaged; choose another name") from error
    if about.get("format") not in FORMATS:
        raise ValueError(f"{path}: written by another version of s3prl-pemr; embed anew")
    return VectorIndex([segment], about)


def take_over(path: Path) -> None:
    """Make a folder of an index in one file, in its place; the caller is the sole writer.

    A kill leaves the file as it was, or the folder whole: the next call ends what was begun.
    """
    new, before = (path.with_name(path.name + ending) for ending in (TAKING_OVER, BEFORE))
    if path.is_file():
        index = read_index(path)
        writer = index_writer(new, index.made_by, index.model)
        there = set(open_index(new).names()) if is_index(new) else set()
        for row, known in enumerate(index.known):
            track = index.vectors.name(row)
            if known.chroma is not None and track not in there:  # one of format 1 is heard again
                add_track(writer, track, known, index.vectors.get(STAMPS, row))
        writer.commit()
        path.rename(before)
    if before.exists():
        if not path.exists():
            new.rename(path)
        before.unlink()


def refuse_other_model(index: CoverIndex, path: Path, fingerprint: dict[str, Any]) -> None:
    """Raises ValueError (one line) where an index was not made by the model: their cosines mean nothing."""
    for what, own in fingerprint.items():
        if index.made_by.get(what) != own:
            raise ValueError(
                f"{path}: made by another model ({what} differs; it was {index.model}): pass that one with "
                "--model, or embed anew into another file"
            )
