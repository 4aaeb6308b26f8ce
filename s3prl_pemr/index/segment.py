"""A segment: arrays of some rows, written once and never changed. R: rows, E: width of a vector.

Its folder holds

    vectors.npy     (R, E), float32 or float16
    norms.npy       their lengths, float32, (R,); 0 where there is nothing to compare
    names.npy       the rows' names in UTF-8, one after the other
    NAME.npy        whatever else belongs to a row

Where rows differ in length they stand one after the other; NAME.ends.npy says where each ends, int64, (R,).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from s3prl_pemr.safety.whole_file import whole_file

ENDS = ".ends"
VECTORS, NORMS, NAMES = "vectors", "norms", "names"
OPEN_FILES = 128  # of all segments; each mapped file keeps a descriptor


class SegmentGone(ValueError):
    """A segment was removed after its index was opened: by `compact`, which wrote its rows into another."""


class Mapped(Mapping[str, np.ndarray]):
    """The arrays of a segment's folder, mapped when they are asked for."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            return _mapped(str(self.folder / f"{name}.npy"))
        except FileNotFoundError as error:
            if self.folder.exists():
                raise KeyError(name) from error
            raise SegmentGone(
                f"{self.folder}: was removed meanwhile (was the index compacted?); run the same command again"
            ) from error

    def __iter__(self) -> Iterator[str]:
        return (path.stem for path in sorted(self.folder.glob("*.npy")))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@lru_cache(OPEN_FILES)
def _mapped(path: str) -> np.ndarray:
    """A .npy; folders of segments have a name of their own for ever, so it does not change."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: damaged; copy the index again, or make it anew") from error


class Segment:
    """Rows that can be read; those that are marked as deleted are passed over.

    Args:
        name: of its folder.
        arrays: by name, as above; of a folder (Mapped), or in memory.
        deleted: rows of the arrays, int64, ascending.

    Raises: ValueError (one line) where the arrays are not of one length.
    """

    def __init__(self, name: str, arrays: Mapping[str, np.ndarray], deleted: Sequence[int] = ()):
        self.name, self.arrays = name, arrays
        self.stored = len(arrays[VECTORS])
        if len(arrays[NORMS]) != self.stored or len(arrays[NAMES + ENDS]) != self.stored:
            raise ValueError(f"segment {name}: damaged; copy the index again, or make it anew")
        self.deleted = np.asarray(deleted, np.int64)
        self._live = np.delete(np.arange(self.stored), self.deleted) if len(self.deleted) else None

    def __len__(self) -> int:
        return self.stored - len(self.deleted)

    def stored_rows(self, rows: np.ndarray | int) -> np.ndarray | int:
        """Places in the arrays of rows that are not deleted."""
        return rows if self._live is None else self._live[rows]

    def rows(self, stored: np.ndarray) -> np.ndarray:
        """The other way round; of rows that are not deleted."""
        return stored if self._live is None else np.searchsorted(self._live, stored)

    @cached_property
    def norms(self) -> np.ndarray:
        """Lengths of all stored vectors, (stored,), in memory; 0 for those that are deleted."""
        norms = np.array(self.arrays[NORMS])
        norms[self.deleted] = 0
        return norms

    def get(self, name: str, row: int) -> np.ndarray:
        """One row of an array. Raises KeyError where there is no such array."""
        stored = int(self.stored_rows(row))
        ends = self.arrays.get(name + ENDS)
        if ends is None:
            return self.arrays[name][stored]
        return self.arrays[name][int(ends[stored - 1]) if stored else 0 : int(ends[stored])]

    def blocks(self, name: str, rows: int) -> Iterator[np.ndarray]:
        """An array without what is deleted, so many rows at a time."""
        values, ends = self.arrays[name], self.arrays.get(name + ENDS)
        for start in range(0, len(self), rows):
            stored = np.asarray(self.stored_rows(np.arange(start, min(start + rows, len(self)))))
            whole = stored[-1] - stored[0] == len(stored) - 1
            if ends is None:
                yield values[stored[0] : stored[-1] + 1] if whole else values[stored]
                continue
            first = np.where(stored > 0, ends[stored - 1], 0)
            if whole:
                yield values[first[0] : ends[stored[-1]]]
            else:
                spans = zip(first, ends[stored], strict=True)
                yield np.concatenate([values[begin:end] for begin, end in spans])

    def counts(self, name: str) -> np.ndarray:
        """How long each row of an array of uneven ones is, int64, (rows,)."""
        counts = np.diff(self.arrays[name + ENDS], prepend=0)
        return counts if self._live is None else counts[self._live]

    def names(self) -> list[str]:
        """Of all rows."""
        text, ends = bytes(self.arrays[NAMES]), self.arrays[NAMES + ENDS].tolist()
        starts = [0, *ends[:-1]]
        rows = range(self.stored) if self._live is None else self._live.tolist()
        return [text[starts[row] : ends[row]].decode("utf-8", "surrogateescape") for row in rows]


def write_array(path: Path, blocks: Iterable[np.ndarray], shape: tuple[int, ...], dtype: np.dtype) -> None:
    """A .npy of blocks that follow one another, flushed to the disk; whole or not at all. Raises OSError."""
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    with whole_file(path, sync=True) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype).data)
