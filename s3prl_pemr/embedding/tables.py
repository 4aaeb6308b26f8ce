"""All tracks in one file: Parquet, or .npy with a table beside it. R: rows, D: width of a vector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from s3prl_pemr.report.files import write_tsv
from s3prl_pemr.safety.whole_file import whole_file

from .files import read_track

TABLES = (".parquet", ".npy")
ROWS_AT_A_TIME = 50_000


def tracks_file(out: Path) -> Path:
    """Beside OUT.npy: which rows are whose."""
    return out.with_name("tracks.tsv")


def write_table(out: Path, folder: Path, tracks: Sequence[str]) -> int:
    """Write OUT from the tracks' own files. Returns R; raises ValueError (one line) and OSError."""
    return (_write_parquet if out.suffix == ".parquet" else _write_npy)(out, folder, tracks)


def _write_npy(out: Path, folder: Path, tracks: Sequence[str]) -> int:
    lines, first, parts = [], 0, []
    for track in tracks:
        _, vectors = read_track(folder, track).rows()
        lines.append((track, first, len(vectors)))
        first += len(vectors)
        parts.append(vectors.astype(np.float32))
    with whole_file(out) as file:
        np.save(file, np.concatenate(parts))
    write_tsv(tracks_file(out), ("path", "first_row", "rows"), lines)
    return first


def _write_parquet(out: Path, folder: Path, tracks: Sequence[str]) -> int:
    arrow, parquet = need_arrow()
    width = read_track(folder, tracks[0]).rows()[1].shape[1]
    vector = arrow.list_(arrow.float32(), width)
    schema = arrow.schema([("path", arrow.string()), ("seconds", arrow.float32()), ("vector", vector)])
    rows = 0
    with whole_file(out) as file, parquet.ParquetWriter(file, schema) as writer:
        for names, seconds, vectors in _blocks(folder, tracks):
            flat = arrow.array(vectors.ravel(), arrow.float32())
            columns = [names, seconds, arrow.FixedSizeListArray.from_arrays(flat, width)]
            writer.write_table(arrow.table(dict(zip(schema.names, columns, strict=True)), schema=schema))
            rows += len(names)
    return rows


def _blocks(folder: Path, tracks: Sequence[str]) -> Iterator[tuple[list[str], np.ndarray, np.ndarray]]:
    names: list[str] = []
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    for track in tracks:
        parts.append(read_track(folder, track).rows())
        names += [track] * len(parts[-1][0])
        if len(names) >= ROWS_AT_A_TIME:
            yield _together(names, parts)
            names, parts = [], []
    if parts:
        yield _together(names, parts)


def _together(
    names: list[str], parts: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[list[str], np.ndarray, np.ndarray]:
    seconds, vectors = map(np.concatenate, zip(*parts, strict=True))
    return names, seconds, vectors


def need_arrow() -> tuple[Any, Any]:
    """Pyarrow and its Parquet part. Raises ValueError (one line) where they are not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ValueError("Parquet needs pyarrow: pip install 's3prl-pemr[parquet]'") from error
    return pyarrow, parquet
