"""index.json: which segments an index has, written last and whole: what it does not name is not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from s3prl_pemr.safety.whole_file import PARTIAL, whole_file

MANIFEST_FILE, SEGMENTS_FOLDER = "index.json", "segments"
FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """A segment: its folder's name, its rows, and the file in it that marks deleted ones ('': none)."""

    name: str
    rows: int
    deleted: str = ""


@dataclass(frozen=True)
class Manifest:
    """What an index is made of.

    Attributes:
        about: what its makers want to know of it.
        segments: in the order of their rows.
        parts: folders of other indexes, relative to this one, for which it stands; it has no segments then.
    """

    about: Mapping[str, Any]
    segments: tuple[Entry, ...] = ()
    parts: tuple[str, ...] = ()
    format: int = field(default=FORMAT)

    def with_segments(self, segments: list[Entry]) -> Manifest:
        """The same index with other segments."""
        return replace(self, segments=tuple(segments))


def is_index(folder: Path) -> bool:
    """Whether a folder is an index."""
    return (folder / MANIFEST_FILE).is_file()


def holds_something_else(folder: Path) -> bool:
    """Whether there is what no writer of an index left, be it one that was killed before its manifest."""
    if is_index(folder):
        return False
    own = (path.name == SEGMENTS_FOLDER or path.name.endswith(PARTIAL) for path in folder.glob("*"))
    return not all(own)


def read_manifest(folder: Path) -> Manifest:
    """Raises ValueError (one line) where there is none, or a damaged one."""
    path = folder / MANIFEST_FILE
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ValueError(f"{folder}: not an index, it has no {MANIFEST_FILE}") from error
    except ValueError as error:
        raise ValueError(f"{path}: damaged; copy the index again, or make it anew") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"{path}: written by another version of s3prl-pemr; make the index anew")
    try:
        segments = tuple(Entry(**entry) for entry in found["segments"])
        manifest = Manifest(found["about"], segments, tuple(found["parts"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: damaged; copy the index again, or make it anew") from error
    inside = [name for entry in segments for name in (entry.name, entry.deleted)]
    if any(Path(name).name != name for name in inside):
        raise ValueError(f"{path}: names files outside of the index; it is not to be trusted")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Flushed to the disk; what it names has to be there. Raises OSError."""
    with whole_file(folder / MANIFEST_FILE, sync=True) as file:
        file.write((json.dumps(asdict(manifest), indent=1) + "\n").encode())
