"""What a data set's reader hands over: its files, and the name, split and labels of each."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from s3prl_pemr.store_index import Stamp


@dataclass(frozen=True)
class Source:
    """One track to be stored.

    `track` is its name in the store, unique in the listing; `path` is the file it comes from, which may be
    missing.
    """

    track: str
    path: Path
    split: str = ""
    labels: tuple[str, ...] = ()

    def stamp(self) -> Stamp:
        """Size and time of the file as it is now."""
        try:
            status = self.path.stat()
        except OSError:
            return Stamp()
        return Stamp(status.st_size, status.st_mtime_ns)


@dataclass
class Listing:
    """A data set: its tracks in the order they are stored in, and what the user should know about it.

    `root` is the folder it lies in: a source that leads out of it is reported, not read.
    """

    root: Path
    sources: list[Source]
    remarks: list[str] = field(default_factory=list)

    def shown(self, source: Source) -> str:
        """The source's path as the reports name it: relative to the root where it is below it."""
        return os.path.relpath(source.path, self.root) if self.holds(source) else str(source.path)

    def holds(self, source: Source) -> bool:
        """Whether the path, as text, stays below the root. Links may lead anywhere: the user set them."""
        return Path(os.path.normpath(source.path)).is_relative_to(os.path.normpath(self.root))
