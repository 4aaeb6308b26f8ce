"""Exact search by blocks: memory does not depend on how many rows there are. Q: queries, E: width."""

from __future__ import annotations

import numpy as np

from .segment import VECTORS, Segment

BLOCK_VALUES = 1 << 21  # of a block in float32: 8 MB, which stay in a processor's cache
SPARE = 32  # single precision may put neighbours in another order: so many more are looked at in double


def unit(vectors: np.ndarray, dtype: type = np.float64) -> np.ndarray:
    """Each row divided by its length, (rows, E); a row of zeros stays."""
    vectors = np.asarray(vectors, dtype)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def candidates(segment: Segment, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a segment that are most like each query, in single precision, in no order.

    Args:
        queries: of length 1, float32, (Q, E).
        count: how many; fewer where the segment has fewer.

    Returns: places in the segment's arrays, int64, and cosines, (Q, count); -inf where there is nothing to
        compare.
    """
    vectors = segment.arrays[VECTORS]
    size = max(BLOCK_VALUES // max(vectors.shape[1], len(queries)), 1)
    places = np.empty((len(queries), 0), np.int64)
    cosines = np.empty((len(queries), 0), np.float32)
    single = np.empty((min(size, segment.stored), vectors.shape[1]), np.float32)
    for start in range(0, segment.stored, size):
        norms = segment.norms[start : start + size]
        if not norms.any():
            continue
        block = vectors[start : start + size]
        if block.dtype != np.float32:
            single[: len(block)] = block
            block = single[: len(block)]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(norms > 0, (queries @ block.T) / norms, -np.inf)
        there = np.broadcast_to(np.arange(start, start + len(block)), found.shape)
        there, found = _best(there, found, count)
        places, cosines = _best(
            np.concatenate([places, there], axis=1), np.concatenate([cosines, found], axis=1), count
        )
    return places, cosines


def _best(places: np.ndarray, cosines: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    if cosines.shape[1] <= count:
        return places, cosines
    order = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
    return np.take_along_axis(places, order, axis=1), np.take_along_axis(cosines, order, axis=1)


def cosines_of(vectors: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Cosines of rows, (rows, E), with a query of length 1 in double precision, (rows,).

    A matrix product may round a row's sum by how many rows there are; a sum along each row does not.
    """
    return (unit(vectors) * query).sum(axis=1)
