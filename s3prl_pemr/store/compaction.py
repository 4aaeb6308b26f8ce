"""Tracks taken out of a store: its audio is written anew without them, safe against a kill at any moment.

The new files lie beside the old ones, whole and on the disk, before the first of them is renamed: the audio.
Where the new audio is still there, nothing has happened yet; where only the new index is, it belongs to the
audio that has its place already.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from .index import AUDIO_FILE, COLUMNS, INDEX_FILE, SAMPLE_BYTES, Entry, encode, header

SUFFIX = ".replaced"
PIECE_BYTES = 1 << 24


def recover(folder: Path) -> None:
    """Bring a store that was left in the middle to its state before or after; at the start of any writer."""
    audio, index = (folder / f"{name}{SUFFIX}" for name in (AUDIO_FILE, INDEX_FILE))
    if audio.exists():
        audio.unlink()
        index.unlink(missing_ok=True)
    elif index.exists():
        index.replace(folder / INDEX_FILE)


def drop_tracks(folder: Path, entries: Sequence[Entry], dropped: Collection[str]) -> list[Entry]:
    """The store without some of its tracks.

    Args:
        folder: of the store; the caller is its sole writer.
        entries: all of it.
        dropped: names of tracks.

    Returns: the entries that are left, with their new offsets.

    Raises:
        OSError: the disk has no room for a second copy of the audio; the store is as before.
    """
    audio, index = (folder / f"{name}{SUFFIX}" for name in (AUDIO_FILE, INDEX_FILE))
    left, end = [], 0
    try:
        with (folder / AUDIO_FILE).open("rb") as old, audio.open("wb") as new:
            for entry in entries:
                if entry.track in dropped:
                    continue
                old.seek(entry.offset_samples * SAMPLE_BYTES)
                _copy(old, new, entry.length_samples * SAMPLE_BYTES)
                left.append(replace(entry, offset_samples=end))
                end = left[-1].end_samples
            _sync(new)
        with index.open("wb") as new:
            new.write(header(COLUMNS) + encode("".join(entry.line() for entry in left)))
            _sync(new)
    except BaseException:
        recover(folder)
        raise
    audio.replace(folder / AUDIO_FILE)
    index.replace(folder / INDEX_FILE)
    return left


def _copy(old: BinaryIO, new: BinaryIO, count_bytes: int) -> None:
    while count_bytes > 0:
        piece = old.read(min(count_bytes, PIECE_BYTES))
        if not piece:
            return  # the checksums of the index will say so
        new.write(piece)
        count_bytes -= len(piece)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
