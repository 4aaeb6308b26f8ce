"""`index export`, and `covers export`: names and vectors of an index as Parquet, which vector databases load.

Columns: path (text), vector (float32, of one length). DuckDB, LanceDB, pandas and pyarrow read it as it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from s3prl_pemr.embedding.tables import need_arrow
from s3prl_pemr.launch.outputs import check_file
from s3prl_pemr.report.printable import visible
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.whole_file import whole_file

from .reader import VectorIndex, open_index
from .segment import VECTORS

HELP = "names and vectors of an index as Parquet, for a vector database"
EXAMPLE = "s3prl-pemr index export INDEX vectors.parquet"
BLOCK_ROWS = 16_384


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("index", metavar="INDEX", type=Path)
    parser.add_argument("out", metavar="FILE.parquet", type=Path)
    parser.add_argument("--unit", action="store_true", help="vectors of length 1: products are cosines then")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line) and OSError."""
    check_file(args.out, "FILE.parquet")
    need_arrow()
    rows = export(open_index(args.index, quick=False), args.out, args.unit)
    print(visible(f"saved to {args.out}: {rows} rows"))
    return 0


def export(index: VectorIndex, out: Path, unit: bool = False) -> int:
    """Write it by blocks; rows without a vector (silent tracks) are left out. Returns how many were written.

    Raises: ValueError (one line) without pyarrow, and where there is nothing; OSError.
    """
    arrow, parquet = need_arrow()
    if not len(index):
        raise ValueError("an index without rows has nothing to export")
    vector = arrow.list_(arrow.float32(), index.width)
    schema = arrow.schema([("path", arrow.string()), ("vector", vector)])
    written = 0
    with (
        whole_file(out) as file,
        parquet.ParquetWriter(file, schema) as writer,
        Progress(total=len(index), desc="export", unit="row") as bar,
    ):
        for segment in index.segments:
            names, start = segment.names(), 0
            for block in segment.blocks(VECTORS, BLOCK_ROWS):
                vectors = np.asarray(block, np.float32)
                norms = np.linalg.norm(vectors, axis=1)
                own = [
                    name for name, norm in zip(names[start : start + len(block)], norms, strict=True) if norm
                ]
                start += len(block)
                bar.update(len(block))
                vectors = vectors[norms > 0] / (norms[norms > 0, None] if unit else 1)
                flat = arrow.array(vectors.ravel(), arrow.float32())
                columns = [_text(own), arrow.FixedSizeListArray.from_arrays(flat, index.width)]
                writer.write_table(arrow.table(columns, schema=schema))
                written += len(own)
    return written


def _text(names: list[str]) -> list[str]:
    """Names as Parquet takes them: bytes that are no UTF-8 become a question mark in a box."""
    return [name.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for name in names]
