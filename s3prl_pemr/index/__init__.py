"""An index of vectors that grows: segments that are only added to, exact and approximate search, Parquet."""

from .reader import VectorIndex, open_index
from .writer import IndexWriter

__all__ = ["IndexWriter", "VectorIndex", "open_index"]
