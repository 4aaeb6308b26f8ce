"""One shim under every writer: counts what a command asks of the disk, and makes the Nth request fail.

All writers go through Python's files (whole_file.py, the store's writer, caches, logs, the toolkit's yaml):
`open`, the raw file behind it, and os.fsync, os.replace, os.rename are where a disk can say no. Only requests
below one folder count, only in the process itself: workers write nothing.
"""

import builtins
import errno
import io
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

ONCE, FULL, KILL = "once", "full", "kill"  # EIO at one request; ENOSPC from it on; kill -9 before it is done


@dataclass
class Faults:
    """Counts requests below `root`; from 1 on, `at` of them goes wrong in the way `kind`; 0: none does."""

    root: Path
    at: int = 0
    kind: str = ONCE
    requests: list[str] = field(default_factory=list)

    def request(self, what: str, path) -> None:
        """Called before each. Raises OSError, or kills the process."""
        path = os.path.abspath(path)  # noqa: PTH100 - asks nothing of the disk
        if os.getpid() != self.process or not path.startswith(str(self.root)):
            return
        self.requests.append(f"{what} {os.path.relpath(path, self.root)}")
        number = len(self.requests)
        if not self.at or number < self.at or (self.kind != FULL and number > self.at):
            return
        if self.kind == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind == ONCE or what in ("open", "write", "truncate", "fsync"):  # a full disk still renames
            error = errno.EIO if self.kind == ONCE else errno.ENOSPC
            raise OSError(error, os.strerror(error), str(path))

    def install(self) -> None:
        """From here on, in this process."""
        self.process = os.getpid()
        plain_open, fsync, replace, rename = io.open, os.fsync, os.replace, os.rename
        faults = self

        class RawFile(io.FileIO):
            def write(self, data):
                faults.request("write", self.name)
                return super().write(data)

            def truncate(self, size=None):
                faults.request("truncate", self.name)
                return super().truncate(size)

        def opened(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, **more):
            writes = isinstance(file, (str, os.PathLike)) and set(mode) & set("wax+") and not more
            if not writes or not os.path.abspath(file).startswith(str(faults.root)):  # noqa: PTH100
                return plain_open(file, mode, buffering, encoding, errors, newline, **more)
            faults.request("open", file)
            raw = RawFile(os.fspath(file), mode.replace("b", "").replace("t", ""))
            if buffering == 0:
                return raw
            whole = io.BufferedRandom(raw) if "+" in mode and raw.seekable() else io.BufferedWriter(raw)
            return whole if "b" in mode else io.TextIOWrapper(whole, encoding or "utf-8", errors, newline)

        def synced(descriptor):
            faults.request("fsync", Path(f"/proc/self/fd/{descriptor}").readlink())
            fsync(descriptor)

        def moved(move):
            def moved_there(source, target, **more):
                faults.request("rename", target)
                move(source, target, **more)

            return moved_there

        io.open = builtins.open = opened
        os.fsync, os.replace, os.rename = synced, moved(replace), moved(rename)
