"""One prepare at a time in one folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from s3prl_pemr.store.index import StoreError

LOCK_FILE = "prepare.lock"


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold the folder's lock.

    It is of the kind (lockf) that worker processes do not inherit and that a kill releases: a lock file that
    is left behind locks nobody out.

    Raises:
        StoreError: another process holds it.
    """
    with (folder / LOCK_FILE).open("a+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise StoreError(
                f"{folder}: another prepare (process {holder}) is writing here; wait for it, or choose "
                "another DST"
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
