"""An index as it is read and searched: its segments, or those of its parts, one after the other."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from s3prl_pemr.report.printable import visible

from . import approximate, exact
from .manifest import SEGMENTS_FOLDER, read_manifest
from .segment import NAMES, VECTORS, Mapped, Segment, SegmentGone

QUERIES_AT_A_TIME = 128
ATTEMPTS = 3  # to open an index while another process writes it


class VectorIndex:
    """Rows by number, from 0; deleted ones have none.

    Args:
        segments: in order.
        about: what the index's maker said of it.
        quick: approximate searches, each of some of the segments.
    """

    def __init__(
        self,
        segments: Sequence[Segment],
        about: Mapping[str, Any],
        quick: Sequence[approximate.Approximation] = (),
    ):
        self.segments, self.about, self.quick = list(segments), about, list(quick)
        self._first = np.cumsum([0, *map(len, self.segments)])
        self._numbers = {id(segment): number for number, segment in enumerate(self.segments)}

    def __len__(self) -> int:
        return int(self._first[-1])

    def place(self, row: int) -> tuple[Segment, int]:
        """The segment that has a row, and the row's number in it."""
        if not 0 <= row < len(self):
            raise IndexError(f"no row {row} among {len(self)}")
        number = int(np.searchsorted(self._first, row, side="right")) - 1
        return self.segments[number], row - int(self._first[number])

    def stored_place(self, row: int) -> tuple[str, int]:
        """A row's segment and its place in that one's arrays, as IndexWriter.delete takes them."""
        segment, own = self.place(row)
        return segment.name, int(segment.stored_rows(own))

    def get(self, name: str, row: int) -> np.ndarray:
        """What belongs to a row. Raises KeyError where the index has no such array."""
        segment, own = self.place(row)
        return segment.get(name, own)

    def gather(self, name: str, rows: np.ndarray) -> np.ndarray:
        """The same of several rows, ascending, of an array whose rows are of one length: (rows, ...)."""
        ends = np.searchsorted(rows, self._first)
        found = [
            segment.arrays[name][segment.stored_rows(rows[start:end] - first)]
            for segment, first, start, end in zip(
                self.segments, self._first, ends[:-1], ends[1:], strict=False
            )
            if end > start
        ]
        return np.concatenate(found) if found else np.empty((0, self.width), np.float32)

    @property
    def width(self) -> int:
        """E; 0 of an index without segments."""
        return self.segments[0].arrays[VECTORS].shape[1] if self.segments else 0

    def name(self, row: int) -> str:
        """A row's name."""
        return bytes(self.get(NAMES, row)).decode("utf-8", "surrogateescape")

    def names(self) -> list[str]:
        """Of all rows."""
        return [name for segment in self.segments for name in segment.names()]

    def empty_rows(self) -> np.ndarray:
        """Rows with nothing to compare: their vector is zero."""
        found = [
            first + segment.rows(np.setdiff1d(np.flatnonzero(segment.norms == 0), segment.deleted))
            for first, segment in zip(self._first, self.segments, strict=False)
        ]
        return np.concatenate([np.empty(0, np.int64), *found])

    def nearest(self, queries: np.ndarray, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """The rows that are most like each query, best first.

        Args:
            queries: (Q, E).
            count: how many, at most.

        Returns: for each query row numbers, int64, and cosines in double precision, (count,). They do not
            depend on how the rows are spread over segments and parts, but in an approximate search.
        """
        found = []
        queries = exact.unit(queries)
        for start in range(0, len(queries), QUERIES_AT_A_TIME):
            chunk = queries[start : start + QUERIES_AT_A_TIME]
            for query, rows in zip(chunk, self._candidates(chunk, count), strict=True):
                rows = np.sort(rows)
                cosines = exact.cosines_of(self.gather(VECTORS, rows), query)
                order = np.argsort(-cosines, kind="stable")[:count]
                found.append((rows[order], cosines[order]))
        return found

    def _candidates(self, queries: np.ndarray, count: int) -> list[np.ndarray]:
        """Rows that may be among the best of each query."""
        single = queries.astype(np.float32)
        rows: list[list[np.ndarray]] = [[] for _ in queries]
        covered: set[int] = set()
        for quick in self.quick:
            covered |= {id(segment) for segment in quick.segments}
            for own, found in zip(rows, quick.candidates(single, count), strict=True):
                own += [self._rows(segment, places) for segment, places in found]
        scored = []
        for segment in self.segments:
            if id(segment) in covered:
                continue
            places, cosines = exact.candidates(segment, single, count + exact.SPARE)
            there = [
                self._rows(segment, own[np.isfinite(scores)])
                for own, scores in zip(places, cosines, strict=True)
            ]
            scored.append((there, [scores[np.isfinite(scores)] for scores in cosines]))
        for query, own in enumerate(rows):
            if scored:
                there = np.concatenate([part[0][query] for part in scored])
                cosines = np.concatenate([part[1][query] for part in scored])
                own.append(there[np.argsort(-cosines, kind="stable")[: count + exact.SPARE]])
        return [np.concatenate([np.empty(0, np.int64), *own]) for own in rows]

    def _rows(self, segment: Segment, places: np.ndarray) -> np.ndarray:
        return self._first[self._numbers[id(segment)]] + segment.rows(places)


def open_index(folder: Path | str, quick: bool = True) -> VectorIndex:
    """Open a folder that IndexWriter wrote, or one that stands for several.

    Args: quick: use approximate searches where they were built.

    Raises: ValueError (one line) where it is none, or damaged.
    """
    folder = Path(folder)
    for attempt in range(ATTEMPTS):
        try:
            return _open(folder, quick)
        except (KeyError, SegmentGone) as error:  # a segment was replaced between reading the manifest and it
            if attempt + 1 == ATTEMPTS:
                raise ValueError(
                    f"{folder}: files of it are missing; copy it again, or make it anew"
                ) from error
    raise AssertionError


def _open(folder: Path, quick: bool) -> VectorIndex:
    manifest = read_manifest(folder)
    if manifest.parts:
        parts = []
        for part in manifest.parts:
            if read_manifest(folder / part).parts:
                raise ValueError(f"{folder}: its part {part} stands for others; join those themselves")
            parts.append(_open(folder / part, quick))
        segments = [segment for part in parts for segment in part.segments]
        return VectorIndex(segments, manifest.about, [one for part in parts for one in part.quick])
    segments = []
    for entry in manifest.segments:
        place = folder / SEGMENTS_FOLDER / entry.name
        arrays = Mapped(place)
        marks = arrays[Path(entry.deleted).stem] if entry.deleted else ()
        segment = Segment(entry.name, arrays, marks)
        if segment.stored != entry.rows:
            raise ValueError(
                f"{place}: {segment.stored} rows, but the index says {entry.rows}; copy it again"
            )
        segments.append(segment)
    found = None
    if quick:
        try:
            found = approximate.open_approximation(folder, segments)
        except ValueError as error:
            print(visible(f"{error}; searching all rows"), file=sys.stderr)
    return VectorIndex(segments, manifest.about, [found] if found else [])
