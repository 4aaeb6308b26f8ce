"""One command at a time in one folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_FILE = "run.lock"


class Occupied(ValueError):
    """Another process is writing there; one line."""


@contextmanager
def sole_writer(folder: Path, name: str = LOCK_FILE, remedy: str = "choose another folder") -> Iterator[None]:
    """Hold a folder's lock.

    It is of the kind (lockf) that worker processes do not inherit and that a kill releases: a lock file that
    is left behind locks nobody out.

    Args:
        folder: made if missing.
        name: of the lock file in it.
        remedy: what else than waiting the user can do.

    Raises:
        Occupied: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("a+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Occupied(
                f"{folder}: another command (process {holder}) is writing here; wait for it, or {remedy}"
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
