"""CQT columns of a whole store, computed once and kept beside its audio.

STORE/cqt is a folder with

    columns.f16     every track after the other, a row of 84 bins per column: float16, little-endian, each
                    track divided by its peak
    cqt.json        the settings, which audio they are of, and how many tracks are there

Where a track lies follows from the lengths of the tracks before it.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any, BinaryIO

import numpy as np

from s3prl_pemr.audio import INT16_FULL_SCALE
from s3prl_pemr.prepare.engine import PROCESSES, make_workers
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.positional_read import read_into
from s3prl_pemr.safety.whole_file import remove_leftovers, write_whole
from s3prl_pemr.store import AudioStore

from .transform import SETTINGS, CqtSettings, by_peak, column_count, cqt_columns

logger = logging.getLogger(__name__)
FOLDER, COLUMNS_FILE, STATE_FILE, LOCK_FILE = "cqt", "columns.f16", "cqt.json", "lock"
COMMIT_SECONDS = 10
Transform = Callable[[np.ndarray], np.ndarray]
INLINE_TRACKS = 4  # so few take less than starting workers


@dataclass(frozen=True)
class _Track:
    name: str
    samples: np.ndarray = field(repr=False)  # int16


def _compute(track: _Track, transform: Transform = cqt_columns) -> np.ndarray:
    wav = track.samples.astype(np.float32) / INT16_FULL_SCALE
    return np.ascontiguousarray(by_peak(transform(wav)).T, dtype="<f2")


class CqtCache:
    """The columns of every track of a store; what is not there yet is computed now, and again goes on there.

    Args:
        store: the audio.
        jobs: worker processes; all cores if not given.
        engine: where the workers are (s3prl_pemr/prepare/engine.py).
        transform: computes them here instead, (samples,) -> (84, T): a GPU's.

    Raises: ValueError (one line) where the folder holds columns of other settings or other audio, or cannot
        be written.
    """

    def __init__(
        self,
        store: AudioStore,
        jobs: int | None = None,
        settings: CqtSettings = SETTINGS,
        engine: str = PROCESSES,
        transform: Transform | None = None,
    ):
        self._engine = engine
        self.folder = store.path / FOLDER
        self.settings, self.fingerprint = settings, store.fingerprint
        self.columns = np.array([column_count(int(length), settings) for length in store.length_samples])
        self._start = np.concatenate([[0], np.cumsum(self.columns)])
        if self._tracks_there() < len(store):
            with self._sole_writer():
                self._complete(store, jobs or os.cpu_count() or 1, transform)
        self._open()

    def read(self, track: int, first: int = 0, count: int | None = None) -> np.ndarray:
        """Columns of one track, from `first` on, at most `count`: float32, (84, T)."""
        end = self.columns[track] if count is None else min(first + count, self.columns[track])
        rows = np.empty((max(end - first, 0), self.settings.bins), "<f2")
        place = int(self._start[track] + first) * rows.itemsize * self.settings.bins
        if not read_into(rows, self._file, place):
            raise ValueError(f"{self.folder / COLUMNS_FILE}: has been cut off since; delete {self.folder}")
        return np.asarray(rows.T, dtype=np.float32)

    def _tracks_there(self) -> int:
        try:
            state = json.loads((self.folder / STATE_FILE).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return 0
        except ValueError as error:
            raise ValueError(f"{self.folder / STATE_FILE}: damaged; delete {self.folder}") from error
        for name, own in self._identity().items():
            if state.get(name) != own:
                raise ValueError(
                    f"{self.folder}: computed with {name} {state.get(name)}, this run needs {own}; delete "
                    "that folder to compute them again"
                )
        return state["tracks"]

    def _identity(self) -> dict[str, Any]:
        return {**asdict(self.settings), "audio": self.fingerprint}

    @contextmanager
    def _sole_writer(self) -> Iterator[None]:
        """One process computes; others (of a torchrun, or another run) wait and find it done."""
        try:
            self.folder.mkdir(exist_ok=True)
            lock = (self.folder / LOCK_FILE).open("a")
        except OSError as error:
            raise ValueError(
                f"{self.folder}: the CQT columns are kept there, and it cannot be written ({error.strerror})"
            ) from error
        with lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            yield

    def _complete(self, store: AudioStore, jobs: int, transform: Transform | None) -> None:
        done = self._tracks_there()
        if done == len(store):
            return
        path = self.folder / COLUMNS_FILE
        try:
            remove_leftovers(self.folder)
            with path.open("r+b" if path.exists() else "w+b") as file:
                file.truncate(self._size_bytes(done))  # what no state speaks for
                file.seek(0, os.SEEK_END)
                self._check_space(done)
                self._append(file, store, done, jobs, transform)
        except OSError as error:
            done = self._tracks_there()
            with suppress(OSError):
                os.truncate(path, self._size_bytes(done))
            raise ValueError(
                f"{error.filename or path}: {error.strerror}; the CQT columns of {done} of {len(store)} "
                "tracks are kept: make room and run the same command again to go on"
            ) from error

    def _check_space(self, done: int) -> None:
        needed_bytes = self._size_bytes(len(self.columns)) - self._size_bytes(done)
        free_bytes = shutil.disk_usage(self.folder).free
        if needed_bytes > free_bytes:
            raise ValueError(
                f"{self.folder}: the CQT columns need {needed_bytes / 1e6:.1f} MB more and "
                f"{free_bytes / 1e6:.1f} MB are free; make room"
            )

    def _append(
        self, file: BinaryIO, store: AudioStore, done: int, jobs: int, transform: Transform | None
    ) -> None:
        """Compute and write the tracks from `done` on; an error or a signal keeps those before it."""
        tracks = (_Track(store.tracks[track], store.read(track)) for track in range(done, len(store)))
        committed = monotonic()
        bar = Progress(total=len(store), initial=done, desc=f"CQT of {store.path}", unit="track")
        try:
            if self._engine == PROCESSES:  # a few tracks are not worth a process
                jobs = min(jobs, (len(store) - done) // INLINE_TRACKS)
            if transform:
                results = (_compute(track, transform) for track in tracks)
            else:
                results = _results(tracks, jobs, self._engine)
            for rows in results:
                file.write(rows.tobytes())
                done += 1
                bar.update()
                if monotonic() - committed > COMMIT_SECONDS:
                    self._commit(file, done)
                    committed = monotonic()
        finally:
            bar.close()
            self._commit(file, done)

    def _commit(self, file: BinaryIO, tracks: int) -> None:
        """Bring the columns to the disk, then the line that speaks for them."""
        file.flush()
        os.fsync(file.fileno())
        state = json.dumps({**self._identity(), "tracks": tracks}, indent=1)
        write_whole(self.folder / STATE_FILE, state.encode())

    def _size_bytes(self, tracks: int) -> int:
        """Of the columns of so many tracks."""
        return int(self._start[tracks]) * 2 * self.settings.bins

    def _open(self) -> None:
        path = self.folder / COLUMNS_FILE
        there, expected = path.stat().st_size if path.exists() else 0, self._size_bytes(len(self.columns))
        if there != expected:
            raise ValueError(f"{path}: {there} bytes instead of {expected}; delete {self.folder}")
        self._file = path.open("rb", buffering=0)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_file"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()


def _results(tracks: Iterator[_Track], jobs: int, engine: str) -> Iterator[np.ndarray]:
    if engine == PROCESSES and jobs < 2:
        yield from map(_compute, tracks)
        return
    cqt_columns(
        np.zeros(1, np.float32)
    )  # loads and compiles what librosa needs, once and not in every worker
    with make_workers(engine, jobs) as workers:
        yield from workers.in_order(_compute, tracks)
