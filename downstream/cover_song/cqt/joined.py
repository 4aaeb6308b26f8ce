"""CQT columns of a store in parts: each part's own, computed wherever the part is. T: columns."""

from __future__ import annotations

import numpy as np

from s3prl_pemr.prepare.engine import PROCESSES
from s3prl_pemr.store import AudioStore

from .cache import FOLDER, CqtCache, Transform


class JoinedCqt:
    """The columns of a joined store, with the interface of CqtCache.

    Args: store, jobs, engine, transform: as of CqtCache; what a part lacks is computed now.

    Raises: ValueError (one line), as CqtCache of each part does.
    """

    def __init__(
        self,
        store: AudioStore,
        jobs: int | None = None,
        engine: str = PROCESSES,
        transform: Transform | None = None,
    ):
        parts = [AudioStore(folder) for folder in store.folders]
        self._caches = [CqtCache(part, jobs, engine=engine, transform=transform) for part in parts]
        places = {
            track: (number, row) for number, part in enumerate(parts) for row, track in enumerate(part.tracks)
        }
        self._places = np.array([places[track] for track in store.tracks], np.int32)
        self.columns = np.array([self._caches[part].columns[row] for part, row in self._places])

    def read(self, track: int, first: int = 0, count: int | None = None) -> np.ndarray:
        """Columns of one track, from `first` on, at most `count`: float32, (84, T)."""
        part, row = self._places[track]
        return self._caches[part].read(int(row), first, count)


def columns_of(
    store: AudioStore, jobs: int | None = None, engine: str = PROCESSES, transform: Transform | None = None
) -> CqtCache | JoinedCqt:
    """Those beside a store; of a joined one those beside its parts, unless it has some of its own."""
    if store.folders == [store.path] or (store.path / FOLDER).exists():
        return CqtCache(store, jobs, engine=engine, transform=transform)
    return JoinedCqt(store, jobs, engine, transform)
