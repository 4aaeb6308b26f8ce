r"""The text files of an audio store: one line per track, tab-separated, UTF-8, in the order of the audio.

A store is a folder with

    audio.i16        every track after the other: int16, little-endian, 16 kHz, mono, no header
    index.tsv        COLUMNS below; `offset` and `length` count samples
    unreadable.tsv   UNREADABLE_COLUMNS below: what was asked for and is not in the store
    store.json       format version, sample rate, and whether prepare came to its end

and dataset.json (dataset_name.py), tags.txt (tag_list.py), groups.tsv (groups.py) where they are known.

In a cell, `\\`, `\t`, `\n` and `\r` stand for those characters. Labels are separated by `|`, which is `\p`
inside a label.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from s3prl_pemr.report.printable import printable, visible

AUDIO_FILE, INDEX_FILE, UNREADABLE_FILE, STATE_FILE = "audio.i16", "index.tsv", "unreadable.tsv", "store.json"
FORMAT_VERSION = 1
SAMPLE_BYTES = 2
COLUMNS = (
    *("track", "offset", "length", "split", "labels"),
    "note",  # empty, "silent", "clipped N samples, peak P" or "cancelled: mono has ..."
    *("crc32", "source_bytes", "source_mtime_ns"),
)
UNREADABLE_COLUMNS = ("path", "reason", "track", "source_bytes", "source_mtime_ns")
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_LABEL_ESCAPES = {**_ESCAPES, "|": "\\p"}
_UNESCAPES = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r", "p": "|"}


class StoreError(ValueError):
    """Something about a store, or what is to go into it, that the user can mend; one line."""

    def __str__(self) -> str:
        return visible(super().__str__())


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells an unchanged source file from a changed one; both -1 for a file that is not there."""

    source_bytes: int = -1
    source_mtime_ns: int = -1


@dataclass(frozen=True, slots=True)
class Entry:
    """One track of the store."""

    track: str
    offset_samples: int
    length_samples: int
    split: str
    labels: tuple[str, ...]
    note: str
    crc32: int  # of the track's bytes in audio.i16
    stamp: Stamp

    @property
    def end_samples(self) -> int:
        """Where the next track begins."""
        return self.offset_samples + self.length_samples

    def line(self) -> str:
        """The entry as a line of index.tsv."""
        labels = "|".join(escape(label, _LABEL_ESCAPES) for label in self.labels)
        cells = [escape(self.track), self.offset_samples, self.length_samples, escape(self.split), labels]
        cells += [
            escape(self.note),
            f"{self.crc32:08x}",
            self.stamp.source_bytes,
            self.stamp.source_mtime_ns,
        ]
        return "\t".join(map(str, cells)) + "\n"

    @classmethod
    def parse(cls, cells: list[str]) -> "Entry":
        """The reverse of `line`; ValueError where a cell is not what it should be."""
        track, offset, length, split, labels, note, crc32, size, mtime = cells
        stamp = Stamp(int(size), int(mtime))
        where = int(offset), int(length)
        return cls(
            unescape(track), *where, _shared(split), _names(labels), _shared(note), int(crc32, 16), stamp
        )


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One source that could not be stored."""

    path: str  # as shown to the user: relative to the folder that was prepared
    reason: str
    track: str
    stamp: Stamp

    def line(self) -> str:
        """The source as a line of unreadable.tsv."""
        cells = [*map(escape, (self.path, self.reason, self.track))]
        return "\t".join([*cells, str(self.stamp.source_bytes), str(self.stamp.source_mtime_ns)]) + "\n"

    @classmethod
    def parse(cls, cells: list[str]) -> "Unreadable":
        """The reverse of `line`; ValueError where a cell is not what it should be."""
        path, reason, track, size, mtime = cells
        return cls(unescape(path), unescape(reason), unescape(track), Stamp(int(size), int(mtime)))


def read_index(path: Path) -> tuple[list[Entry], int]:
    """The whole lines of an index.tsv, and how many bytes they take: a line without its end is left out.

    Raises:
        StoreError: a line is malformed, a track is listed twice, or the tracks do not follow one another.
    """
    entries, whole_bytes = _read_table(path, COLUMNS, Entry.parse)
    end, seen = 0, set()
    for entry in entries:
        if entry.offset_samples != end or entry.length_samples <= 0 or entry.track in seen:
            raise StoreError(
                f"{path}: the line of {printable(entry.track)} contradicts those before it; {REBUILD}"
            )
        end = entry.end_samples
        seen.add(entry.track)
    return entries, whole_bytes


def read_unreadable(path: Path) -> tuple[list[Unreadable], int]:
    """The whole lines of an unreadable.tsv, and how many bytes they take. Raises StoreError."""
    return _read_table(path, UNREADABLE_COLUMNS, Unreadable.parse)


def encode(text: str) -> bytes:
    """UTF-8, in which file names that are not valid UTF-8 keep their bytes."""
    return text.encode("utf-8", "surrogateescape")


def header(columns: tuple[str, ...]) -> bytes:
    """The first line of a table."""
    return encode("\t".join(columns) + "\n")


REBUILD = "run prepare with --rebuild"
Row = TypeVar("Row")


def _read_table(
    path: Path, columns: tuple[str, ...], parse: Callable[[list[str]], Row]
) -> tuple[list[Row], int]:
    rows, whole_bytes = [], 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    break
                whole_bytes += len(line)
                cells = line[:-1].decode("utf-8", "surrogateescape").split("\t")
                if number > 1:
                    rows.append(parse(cells))
                elif cells != list(columns):
                    raise StoreError(
                        f"{path}: not a table of an audio store (its first line differs); {REBUILD}"
                    )
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}); copy it again or {REBUILD}") from error
    except StoreError:  # a ValueError too
        raise
    except (ValueError, TypeError) as error:
        raise StoreError(f"{path}: line {number} is malformed; {REBUILD}") from error
    return rows, whole_bytes


def escape(cell: str, escapes: Mapping[str, str] = _ESCAPES) -> str:
    """A cell as it stands in a table."""
    return cell.translate(str.maketrans(dict[str, str | int | None](escapes)))


def unescape(cell: str) -> str:
    """The reverse of `escape`. Raises ValueError for an unknown escape."""
    return re.sub(r"\\(.?)", _unescaped, cell) if "\\" in cell else cell


@lru_cache(maxsize=4096)
def _shared(cell: str) -> str:
    """`unescape`, of equal cells one object: a million tracks have few splits and notes."""
    return unescape(cell)


@lru_cache(maxsize=65_536)
def _names(labels: str) -> tuple[str, ...]:
    """The labels of a cell; of equal cells one object."""
    return tuple(map(_shared, labels.split("|"))) if labels else ()


def _unescaped(found: re.Match) -> str:
    if found[1] not in _UNESCAPES:
        raise ValueError(f"unknown escape {found[0]}")
    return _UNESCAPES[found[1]]
