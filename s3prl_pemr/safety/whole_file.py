"""Files that are written whole or not at all."""

from __future__ import annotations

import fcntl
import glob
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

PARTIAL = ".partial"
# The others are names that killed runs of 0.1.0 leave behind.
LEFTOVERS = (f"*{PARTIAL}", *(f"*.{kind}.tmp" for kind in ("ckpt", "json", "tsv", "txt", "png")), "log.new",
             "*.tsv.new", "*.json.new")  # fmt: skip


@contextmanager
def whole_file(path: Path, sync: bool = False) -> Iterator[BinaryIO]:
    """A file beside `path`, open for writing, that takes its place when the block is left without an error.

    Args:
        path: what is written. Where several processes do, the last one stays, whole.
        sync: flush it to the disk before: for what hours went into.

    Raises:
        OSError: with `path` in it, also where the writing library hides it behind an error of its own (torch
            does). What was there before stays, and nothing half-written is left.
    """
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}{PARTIAL}")
    try:
        with partial.open("wb") as file:
            with suppress(OSError):  # a disk that knows no locks
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        cause = next((each for each in (error, error.__context__) if isinstance(each, OSError)), None)
        if cause is None or cause.errno is None:
            raise
        raise OSError(cause.errno, os.strerror(cause.errno), str(path)) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file at one stroke; untouched where it has that content already. Raises OSError."""
    if path.exists() and path.read_bytes() == content:
        return
    with whole_file(path) as file:
        file.write(content)


def remove_leftovers(folder: Path, older_than_seconds: float = 0) -> None:
    """Remove what killed runs left half-written in a folder, not below it.

    Args:
        folder: of which the caller is the sole writer.
        older_than_seconds: spares what another process may be writing, where it is not.
    """
    oldest = time.time() - older_than_seconds
    for pattern in LEFTOVERS:
        for path in folder.glob(pattern):
            try:
                if path.stat().st_mtime <= oldest:
                    path.unlink()
            except FileNotFoundError:  # another process was quicker
                continue


def remove_partials(place: Path) -> None:
    """Remove what killed runs left of one file of `whole_file`, or of all in a folder and below it.

    What another process is writing is spared: it holds its lock.
    """
    if place.is_dir():
        found = place.rglob(f"*.????????{PARTIAL}")
    else:
        found = place.parent.glob(f"{glob.escape(place.name)}.????????{PARTIAL}")
    for partial in found:
        with suppress(OSError), partial.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            partial.unlink(missing_ok=True)
