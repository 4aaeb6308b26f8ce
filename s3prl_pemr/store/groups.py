"""Which clips belong together, beside a store: groups.tsv, a line `track<TAB>artist<TAB>song` per clip.

Clips of one song are no independent examples (a bootstrap draws songs), and a test song whose artist is in
the training split is easier than one by a new artist. Cells are escaped as in index.tsv.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from s3prl_pemr.safety.whole_file import write_whole

from .index import REBUILD, StoreError, encode, escape, header, unescape

GROUPS_FILE = "groups.tsv"
COLUMNS = ("track", "artist", "song")


@dataclass(frozen=True)
class Group:
    """What a clip was cut from.

    `song` tells songs of the same title by other artists, or on other albums, apart.
    """

    artist: str
    song: str


def write_groups(folder: Path, rows: Mapping[str, Group]) -> None:
    """Write groups.tsv: the group of each track. Raises OSError."""
    lines = ["\t".join(map(escape, (track, row.artist, row.song))) + "\n" for track, row in rows.items()]
    write_whole(folder / GROUPS_FILE, header(COLUMNS) + encode("".join(lines)))


def read_groups(folder: Path) -> dict[str, Group] | None:
    """The group of each track of the store that has one; None where the store has no groups.tsv.

    Raises:
        StoreError: the file is not such a table, or lists a track twice.
    """
    path = folder / GROUPS_FILE
    if not path.exists():
        return None
    first, *lines = path.read_bytes().decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
    if first != "\t".join(COLUMNS):
        raise StoreError(f"{path}: its first line is not {'<TAB>'.join(COLUMNS)}; {REBUILD}")
    groups: dict[str, Group] = {}
    for number, line in enumerate(lines, start=2):
        cells = [unescape(cell) for cell in line.split("\t")]
        if len(cells) != len(COLUMNS) or cells[0] in groups:
            problem = "lists its track again" if cells[0] in groups else f"has {len(cells)} columns, not 3"
            raise StoreError(f"{path}: line {number} {problem}; {REBUILD}")
        groups[cells[0]] = Group(*cells[1:])
    return groups
