"""Adds rows to an index, and marks others as deleted: what was there is never written again.

A segment is on the disk before index.json names it. While it is small, the next commit writes it anew with
the rows that came since, so that a run of hours leaves no segment a minute.
"""

from __future__ import annotations

import shutil
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from s3prl_pemr.report.printable import printable
from s3prl_pemr.safety.sole_writer import sole_writer
from s3prl_pemr.safety.whole_file import remove_leftovers

from .approximate import FOLDER as SEARCH_FOLDER
from .manifest import SEGMENTS_FOLDER, Entry, Manifest, is_index, read_manifest, write_manifest
from .segment import ENDS, NAMES, NORMS, VECTORS, Mapped, write_array

DTYPES = ("float32", "float16")
FULL_ROWS = 5_000  # a segment of so many is not written again


def sole_index_writer(path: Path) -> AbstractContextManager[None]:
    """Hold the lock of an index, which lies beside it: versions before wrote one file. Raises Occupied."""
    return sole_writer(path.absolute().parent, f".{path.name}.lock", "choose another INDEX")


class IndexWriter:
    """The one writer of an index; the caller holds its lock (sole_index_writer).

    Args:
        folder: made if missing.
        about: kept in index.json; of a new index.
        uneven: arrays whose rows differ in length.
        dtype: of the vectors; of a new index, else it is that of its last segment.

    Raises: ValueError (one line) where the folder is an index that cannot be added to.
    """

    def __init__(
        self, folder: Path, about: Mapping[str, Any], uneven: Collection[str] = (), dtype: str = DTYPES[0]
    ):
        self.folder, self.uneven, self.dtype = folder, {NAMES, *uneven}, np.dtype(dtype)
        self.manifest = read_manifest(folder) if is_index(folder) else Manifest(dict(about))
        if self.manifest.parts:
            raise ValueError(f"{folder}: stands for indexes in parts; add to one of those")
        remove_unnamed(folder, self.manifest)
        if self.manifest.segments:
            last = Mapped(folder / SEGMENTS_FOLDER / self.manifest.segments[-1].name)
            self.dtype = last[VECTORS].dtype
        self._waiting: list[dict[str, np.ndarray]] = []
        self._written = 0  # of those that wait for more, how many are in the last segment
        self._deleted: defaultdict[str, set[int]] = defaultdict(set)

    def add(self, name: str, vector: np.ndarray, **others: np.ndarray) -> None:
        """A row; it is safe after the next commit, which comes by itself after FULL_ROWS.

        Args:
            vector: (E,).
            others: what else belongs to it, the same names for each.

        Raises: ValueError (one line) where the vector is not finite.
        """
        self.add_rows(name, vector[None], **{key: [value] for key, value in others.items()})

    def add_rows(self, name: str, vectors: np.ndarray, **others: Sequence[np.ndarray] | np.ndarray) -> None:
        """Several rows of one name, (rows, E), and of each what `add` says: none is safe without the rest."""
        for row, vector in enumerate(vectors):
            self._add(name, vector, {key: values[row] for key, values in others.items()})
        if len(self._waiting) >= FULL_ROWS:
            self.commit()

    def _add(self, name: str, vector: np.ndarray, others: Mapping[str, np.ndarray]) -> None:
        with np.errstate(over="ignore"):
            vector = np.asarray(vector, self.dtype)
        norm = np.linalg.norm(vector.astype(np.float64))
        if not np.isfinite(norm):
            raise ValueError(f"{printable(name)}: its vector is NaN or infinite in {self.dtype}")
        text = np.frombuffer(name.encode("utf-8", "surrogateescape"), np.uint8)
        self._waiting.append({VECTORS: vector, NORMS: np.asarray(norm, np.float32), NAMES: text, **others})

    def delete(self, segment: str, stored: int) -> None:
        """Mark a row of a segment's arrays as deleted, from the next commit on."""
        self._deleted[segment].add(stored)

    def commit(self) -> None:
        """Bring what is new to the disk, the manifest last. Raises OSError; what was there stays."""
        if len(self._waiting) == self._written and not self._deleted:
            return
        segments = [self._marked(entry) for entry in self.manifest.segments]
        if len(self._waiting) > self._written:
            if self._written:
                segments.pop()
            segments.append(self._segment())
        write_manifest(self.folder, self.manifest.with_segments(segments))
        self.manifest = self.manifest.with_segments(segments)
        self._deleted.clear()
        self._written = len(self._waiting)
        if len(self._waiting) >= FULL_ROWS:
            self._waiting, self._written = [], 0
        remove_unnamed(self.folder, self.manifest)

    def _segment(self) -> Entry:
        entry = Entry(uuid.uuid4().hex[:16], len(self._waiting))
        folder = self.folder / SEGMENTS_FOLDER / entry.name
        folder.mkdir(parents=True)
        for name in self._waiting[0]:
            rows = [np.asarray(row[name]) for row in self._waiting]
            if name in self.uneven:
                ends = np.cumsum([len(row) for row in rows], dtype=np.int64)
                write_array(folder / f"{name}{ENDS}.npy", [ends], ends.shape, ends.dtype)
                shape = (int(ends[-1]), *rows[0].shape[1:])
            else:
                shape = (len(rows), *rows[0].shape)
            write_array(folder / f"{name}.npy", rows, shape, rows[0].dtype)
        return entry

    def _marked(self, entry: Entry) -> Entry:
        rows = self._deleted.get(entry.name)
        if not rows:
            return entry
        folder = self.folder / SEGMENTS_FOLDER / entry.name
        if entry.deleted:
            rows = rows | set(np.load(folder / entry.deleted, allow_pickle=False).tolist())
        name = f"deleted-{uuid.uuid4().hex[:8]}.npy"
        marks = np.array(sorted(rows), np.int64)
        write_array(folder / name, [marks], marks.shape, marks.dtype)
        return Entry(entry.name, entry.rows, name)


def remove_unnamed(folder: Path, manifest: Manifest) -> None:
    """What a killed writer left, or what another segment stands for now; the caller is the sole writer."""
    remove_leftovers(folder)
    remove_leftovers(folder / SEARCH_FOLDER)
    named = {entry.name: entry for entry in manifest.segments}
    for segment in (folder / SEGMENTS_FOLDER).glob("*"):
        if segment.name not in named:
            shutil.rmtree(segment)
            continue
        for marks in segment.glob("deleted-*"):
            if marks.name != named[segment.name].deleted:
                marks.unlink()
