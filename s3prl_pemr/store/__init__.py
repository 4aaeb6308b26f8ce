"""The audio store: a data set's samples in one file, its index, and the small files beside them."""

from .index import StoreError
from .reader import AudioStore

__all__ = ["AudioStore", "StoreError"]
