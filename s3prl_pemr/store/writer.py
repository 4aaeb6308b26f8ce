"""Appends tracks to an audio store so that a kill at any moment leaves only whole tracks behind.

Audio is on the disk before the index names it; what the index does not name is cut off at the next start.
"""

import contextlib
import json
import os
import zlib
from collections.abc import Callable, Collection
from pathlib import Path
from time import monotonic
from typing import BinaryIO

import numpy as np

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.safety.whole_file import whole_file

from .compaction import SUFFIX, drop_tracks, recover
from .index import (
    AUDIO_FILE,
    COLUMNS,
    FORMAT_VERSION,
    INDEX_FILE,
    SAMPLE_BYTES,
    STATE_FILE,
    UNREADABLE_COLUMNS,
    UNREADABLE_FILE,
    Entry,
    Stamp,
    Unreadable,
    encode,
    header,
    read_index,
    read_unreadable,
)

# How much decoding a kill may cost, against one fsync of three files.
COMMIT_SECONDS = 2.0
COMMIT_BYTES = 64 << 20


class StoreWriter:
    """The one writer of a store; the caller holds its lock (safety/sole_writer.py).

    Args:
        path: the store's folder, which exists.

    Attributes:
        entries: the tracks in the store, in order.
        unreadable: the sources that could not be stored.
        finished: whether prepare came to its end here, and nothing is left to repair.

    Raises:
        StoreError: the tables in the folder are not those of a store.
    """

    def __init__(self, path: Path):
        self.path = path
        recover(path)
        self.entries, index_bytes = _load(path / INDEX_FILE, read_index)
        self.unreadable, unreadable_bytes = _load(path / UNREADABLE_FILE, read_unreadable)
        audio_bytes = _size(path / AUDIO_FILE)
        while self.entries and self.entries[-1].end_samples * SAMPLE_BYTES > audio_bytes:
            index_bytes -= len(encode(self.entries.pop().line()))
        # What a kill left behind the last whole track and line is cut off in `begin`.
        self._whole_bytes = {
            AUDIO_FILE: self._end_samples() * SAMPLE_BYTES,
            UNREADABLE_FILE: unreadable_bytes,
            INDEX_FILE: index_bytes,
        }
        whole = all(_size(path / name) == size for name, size in self._whole_bytes.items())
        self.finished = whole and self._state().get("complete", False)
        self._files: dict[str, BinaryIO] = {}
        self._waiting: list[tuple[Entry, np.ndarray]] = []
        self._waiting_unreadable: list[Unreadable] = []
        self._waiting_bytes, self._last_commit = 0, monotonic()

    def begin(self) -> None:
        """Mark the store as unfinished, cut off what is half-written, and open its files for appending."""
        self.finished = False
        self._write_state(complete=False)
        for name, columns in ((AUDIO_FILE, ()), (UNREADABLE_FILE, UNREADABLE_COLUMNS), (INDEX_FILE, COLUMNS)):
            file = (self.path / name).open("ab")
            file.truncate(self._whole_bytes[name])
            if columns and not self._whole_bytes[name]:
                file.write(header(columns))
                file.flush()
            self._files[name] = file

    def add(
        self, track: str, samples: np.ndarray, split: str, labels: tuple[str, ...], note: str, stamp: Stamp
    ) -> None:
        """Append one track; it is safe after the next commit.

        Args:
            track: its name, not yet in the store.
            samples: int16, (samples,).
            split: its split, or ''.
            labels: its labels.
            note: as in index.tsv.
            stamp: of its source file.

        Raises:
            OSError: the disk is full, or the like; what was committed is whole.
        """
        samples = np.ascontiguousarray(samples, dtype="<i2")
        offset = self._waiting[-1][0].end_samples if self._waiting else self._end_samples()
        entry = Entry(track, offset, len(samples), split, labels, note, zlib.crc32(samples.data), stamp)
        self._waiting.append((entry, samples))
        self._waiting_bytes += samples.nbytes
        self._commit_if_due()

    def add_unreadable(self, unreadable: Unreadable) -> None:
        """Record a source that cannot be stored; it is safe after the next commit. Raises OSError."""
        self._waiting_unreadable.append(unreadable)
        self._commit_if_due()

    def commit(self) -> None:
        """Bring everything added to the disk, the audio before the lines that name it. Raises OSError."""
        self._append(AUDIO_FILE, [samples.data for _, samples in self._waiting])
        self._append(UNREADABLE_FILE, [encode(row.line()) for row in self._waiting_unreadable])
        self._append(INDEX_FILE, [encode(entry.line()) for entry, _ in self._waiting])
        self.entries += [entry for entry, _ in self._waiting]
        self.unreadable += self._waiting_unreadable
        self._waiting, self._waiting_unreadable, self._waiting_bytes = [], [], 0
        self._last_commit = monotonic()

    def replace_tables(self, entries: list[Entry], unreadable: list[Unreadable]) -> None:
        """Write both tables anew, each at one stroke; same tracks, same order. Call before `begin`."""
        self.entries, self.unreadable = entries, unreadable
        tables = {
            INDEX_FILE: header(COLUMNS) + encode("".join(entry.line() for entry in entries)),
            UNREADABLE_FILE: header(UNREADABLE_COLUMNS) + encode("".join(row.line() for row in unreadable)),
        }
        for name, content in tables.items():
            _write_synced(self.path / name, content)
            self._whole_bytes[name] = len(content)

    def drop(self, tracks: Collection[str]) -> None:
        """Take tracks out of the store, which is unfinished then. Call before `begin`. Raises OSError."""
        self._write_state(complete=False)
        self.finished = False
        self.entries = drop_tracks(self.path, self.entries, set(tracks))
        self._whole_bytes |= {
            AUDIO_FILE: self._end_samples() * SAMPLE_BYTES,
            INDEX_FILE: (self.path / INDEX_FILE).stat().st_size,
        }

    def finish(self) -> None:
        """Commit, and mark the store as finished. Raises OSError."""
        self.commit()
        self._write_state(complete=True)
        self.finished = True

    def close(self) -> None:
        """Close the files, leaving what was not committed out."""
        for file in self._files.values():
            # Closing writes what is buffered: on a full disk it fails, as the write before it has.
            with contextlib.suppress(OSError):
                file.close()

    def _commit_if_due(self) -> None:
        if self._waiting_bytes >= COMMIT_BYTES or monotonic() - self._last_commit >= COMMIT_SECONDS:
            self.commit()

    def _append(self, name: str, pieces: list[bytes | memoryview]) -> None:
        if pieces:
            self._files[name].writelines(pieces)
            self._files[name].flush()
            os.fsync(self._files[name].fileno())

    def _end_samples(self) -> int:
        return self.entries[-1].end_samples if self.entries else 0

    def _state(self) -> dict:
        try:
            return json.loads((self.path / STATE_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none yet, or damaged: not finished, and written anew
            return {}

    def _write_state(self, complete: bool) -> None:
        state = {"format": FORMAT_VERSION, "sample_rate": SAMPLE_RATE, "complete": complete}
        _write_synced(self.path / STATE_FILE, (json.dumps(state) + "\n").encode())


def delete_store(path: Path) -> None:
    """Delete a store's own files from its folder, the state first: without it the rest is no store."""
    replaced = (f"{name}{SUFFIX}" for name in (INDEX_FILE, AUDIO_FILE))
    for name in (STATE_FILE, *replaced, INDEX_FILE, UNREADABLE_FILE, AUDIO_FILE):
        (path / name).unlink(missing_ok=True)


def _load(path: Path, read: Callable[[Path], tuple[list, int]]) -> tuple[list, int]:
    return read(path) if path.exists() else ([], 0)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _write_synced(path: Path, content: bytes) -> None:
    with whole_file(path, sync=True) as file:
        file.write(content)
