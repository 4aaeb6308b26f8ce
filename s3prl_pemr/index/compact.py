"""`index compact`, `covers compact`: writes an index anew without what is deleted, in few large segments."""

from __future__ import annotations

import argparse
import shutil
import uuid
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from s3prl_pemr.report.printable import visible
from s3prl_pemr.report.progress import Progress

from .approximate import FOLDER
from .manifest import SEGMENTS_FOLDER, Entry, read_manifest, write_manifest
from .reader import open_index
from .segment import ENDS, NORMS, VECTORS, Segment, write_array
from .writer import DTYPES, remove_unnamed, sole_index_writer

HELP = "write an index anew, without what is deleted, in large segments"
EXAMPLE = "s3prl-pemr index compact INDEX --dtype float16"
SEGMENT_ROWS = 1_000_000
BLOCK_ROWS = 4_096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("index", metavar="INDEX", type=Path)
    parser.add_argument("--dtype", choices=DTYPES, help="of the vectors from now on; default: as they are")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line) and OSError."""
    if read_manifest(args.index).parts:
        raise ValueError(f"{args.index}: stands for indexes in parts; compact each of them")
    with sole_index_writer(args.index):
        before = sum(segment.stored for segment in open_index(args.index, quick=False).segments)
        accelerated = (args.index / FOLDER).exists()
        rows, segments = compact(args.index, args.dtype)
    line = f"{args.index}: {rows} rows in {segments} segments, {before - rows} deleted ones are gone"
    print(visible(line + ("; accelerate it again" if accelerated else "")))
    return 0


def compact(folder: Path, dtype: str | None = None, segment_rows: int = SEGMENT_ROWS) -> tuple[int, int]:
    """Write all rows into new segments, then the manifest; memory does not depend on how many there are.

    Args:
        folder: an index of which the caller is the sole writer.
        dtype: of the vectors; as they are if not given.
        segment_rows: about so many in a segment; neighbours are put together, none is divided.

    Returns: rows, segments.
    """
    index, manifest = open_index(folder, quick=False), read_manifest(folder)
    groups: list[list[Segment]] = []
    for segment in filter(len, index.segments):
        if groups and sum(map(len, groups[-1])) + len(segment) <= segment_rows:
            groups[-1].append(segment)
        else:
            groups.append([segment])
    entries = []
    with Progress(total=len(index), desc="compact", unit="row") as bar:
        for group in groups:
            entries.append(_join(folder / SEGMENTS_FOLDER, group, dtype))
            bar.update(entries[-1].rows)
    manifest = manifest.with_segments(entries)
    write_manifest(folder, manifest)
    remove_unnamed(folder, manifest)
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    return len(index), len(entries)


def _join(folder: Path, group: Sequence[Segment], dtype: str | None) -> Entry:
    """One segment of the rows of several."""
    entry = Entry(uuid.uuid4().hex[:16], sum(map(len, group)))
    place = folder / entry.name
    place.mkdir()
    names = {name for segment in group for name in segment.arrays if not name.startswith("deleted-")}
    for name in sorted(names):
        arrays = [segment.arrays[name] for segment in group]
        uneven = f"{name}{ENDS}" in names
        if name.endswith(ENDS):
            counts = np.concatenate([segment.counts(name.removesuffix(ENDS)) for segment in group])
            write_array(place / f"{name}.npy", [np.cumsum(counts)], counts.shape, np.int64)
            continue
        length = sum(int(segment.counts(name).sum()) for segment in group) if uneven else entry.rows
        kept = np.dtype(dtype) if dtype and name == VECTORS else np.result_type(*arrays)
        blocks = chain.from_iterable(segment.blocks(name, BLOCK_ROWS) for segment in group)
        if name == NORMS and dtype:
            blocks = _norms(group, dtype)
        write_array(place / f"{name}.npy", blocks, (length, *arrays[0].shape[1:]), kept)
    return entry


def _norms(group: Sequence[Segment], dtype: str) -> Iterator[np.ndarray]:
    """Of the vectors as they are rounded now."""
    for segment in group:
        for block in segment.blocks(VECTORS, BLOCK_ROWS):
            norms = np.linalg.norm(block.astype(dtype).astype(np.float64), axis=1)
            if not np.isfinite(norms).all():
                raise ValueError(f"segment {segment.name}: holds vectors that are too long for {dtype}")
            yield norms
