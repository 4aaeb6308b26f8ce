"""Reads MagnaTagATune's tables: annotations_final.csv (tags) and clip_info_final.csv (artists and songs)."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.store.groups import Group
from s3prl_pemr.store.index import StoreError, escape

from .separator import separator_hint

ANNOTATIONS_FILE, CLIP_INFO_FILE = "annotations_final.csv", "clip_info_final.csv"
ID_COLUMN, PATH_COLUMN = "clip_id", "mp3_path"
SONG_COLUMNS = ("title", "artist", "album")
# By falling count, in the order that musicnn, sota-music-tagging-models and MARBLE use; of the ties, "no
# vocal" comes before "pop" and "metal" before "female voice".
TOP_50 = (
    *("guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast", "piano"),
    *("ambient", "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male", "singing"),
    *("vocals", "no vocals", "harpsichord", "loud", "quiet", "flute", "woman", "male vocal", "no vocal"),
    *("pop", "soft", "sitar", "solo", "man", "classic", "choir", "voice", "new age", "dance", "male voice"),
    *("female vocal", "beats", "harp", "cello", "no voice", "weird", "country", "metal", "female voice"),
    "choral",
)


def read_annotations(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The chosen tags, and the table's rows, whose cells at those tags are 0 or 1.

    The tags are TOP_50, or all columns, in their order, where the table has fewer than 50.

    Raises:
        StoreError: the table is missing or malformed, or lists a clip or a path twice.
    """
    header, rows = _read_table(path)
    if len(set(header)) != len(header) or len(header) < 3:
        raise StoreError(f"{path}: not MagnaTagATune's table: no tags, or a column twice")
    tags = _chosen_tags(path, header)
    for column in (ID_COLUMN, PATH_COLUMN):
        twice = [cell for cell, count in Counter(row[column] for row in rows).items() if count > 1]
        if twice:
            raise StoreError(
                f"{path}: {len(twice)} values of {column} come more than once: {name_some(twice)}"
            )
    for row in rows:
        wrong = [tag for tag in tags if row[tag] not in ("0", "1")]
        if wrong:
            raise StoreError(
                f"{path}: {ID_COLUMN} {row[ID_COLUMN]}: {wrong[0]!r} is {row[wrong[0]]!r}, not 0 or 1"
            )
    return tags, rows


def read_groups_of_clips(path: Path, tracks: Mapping[str, str]) -> tuple[dict[str, Group], list[str]]:
    """Artist and song of clips; a song is a title by an artist on an album, of which several clips were cut.

    Args:
        path: clip_info_final.csv.
        tracks: the track of each clip_id that is wanted.

    Returns: the groups by track, in the order of `tracks`, and the tracks of which the table says nothing.

    Raises:
        StoreError: the table cannot be read, or lacks a column.
    """
    _, rows = _read_table(path, SONG_COLUMNS)
    found = {}
    for row in rows:
        title, artist, album = (_cell(row[column].strip()) for column in SONG_COLUMNS)
        if row[ID_COLUMN] in tracks and (title or artist):
            found[tracks[row[ID_COLUMN]]] = Group(artist, f"{title} / {artist} / {album}")
    groups = {track: found[track] for track in tracks.values() if track in found}
    return groups, [track for track in tracks.values() if track not in found]


def _read_table(path: Path, columns: Iterable[str] = ()) -> tuple[list[str], list[dict[str, str]]]:
    hint = ""
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            hint = separator_hint(file.readline())
            file.seek(0)
            header, *lines = csv.reader(file, delimiter="\t", strict=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise StoreError(f"{path}: is empty") from error
    except csv.Error as error:
        raise StoreError(f"{path}: not a tab-separated table with quoted cells ({error}){hint}") from error
    missing = [name for name in (ID_COLUMN, *columns, PATH_COLUMN) if name not in header]
    if missing:
        raise StoreError(f"{path}: not MagnaTagATune's table: no column {' and '.join(missing)}{hint}")
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise StoreError(f"{path}: line {number} has {len(line)} columns, the first one {len(header)}")
    return header, [dict(zip(header, line, strict=True)) for line in lines]


def _cell(text: str) -> str:
    """A cell as groups.tsv has it since 0.1.0: bootstraps over songs go by these names."""
    return escape(text).encode("utf-8", "backslashreplace").decode()


def _chosen_tags(path: Path, header: list[str]) -> list[str]:
    columns = [name for name in header if name not in (ID_COLUMN, PATH_COLUMN)]
    if len(columns) < len(TOP_50):
        return columns
    missing = [name for name in TOP_50 if name not in columns]
    if missing:
        raise StoreError(
            f"{path}: {len(columns)} tags, but {len(missing)} of the top 50 are not among them: "
            f"{', '.join(missing)}"
        )
    return list(TOP_50)
