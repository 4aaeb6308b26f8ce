"""The table of excerpts: where each was cut, and whose music it is."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

TABLE_FILE = "excerpts.tsv"
SUFFIX = ".flac"
IN_ARCHIVE = "!"  # ARCHIVE.pk3!MEMBER; Quake's pk3 is zip
MODULES = (".it", ".mod", ".s3m", ".xm")


@dataclass(frozen=True)
class Excerpt:
    """One line of the table.

    Attributes:
        path: in the data set that the weights were pretrained on, which was Opus.
        package: Debian's binary package.
        file: in that package, of the whole track.
        sha1: of the track's bytes.
        begin_seconds, end_seconds: in the decoded track.
        licence: as a machine read it from debian/copyright.
        artist, title: '' where the track does not say.
    """

    path: str
    package: str
    file: str
    sha1: str
    begin_seconds: float
    end_seconds: float
    licence: str
    artist: str
    title: str

    @property
    def rebuilt_path(self) -> str:
        """Its path in the rebuilt data set."""
        return rebuilt(self.path)

    @property
    def is_module(self) -> bool:
        """Whether the track is a tracker module: notes and samples, which have to be played first."""
        return self.file.lower().endswith(MODULES)

    def differs(self, track: Path) -> bool:
        """Whether the track is another one than the excerpt was once cut from."""
        return hashlib.sha1(track.read_bytes()).hexdigest() != self.sha1


def rebuilt(path: str) -> str:
    """The path of an excerpt, or a cell that holds it, as it is in the rebuilt data set."""
    return path.removesuffix(".opus") + SUFFIX


def read_excerpts(path: Path) -> list[Excerpt]:
    """The lines of a table. Raises OSError; KeyError and ValueError where it is malformed."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Excerpt(
                row["path"], row["package"], row["file"], row["sha1"],
                float(row["begin_seconds"]), float(row["end_seconds"]),
                row["licence"], row["artist"], row["title"],
            )
            for row in rows
        ]  # fmt: skip
