"""`prepare mtat`: the MagnaTagATune layout, folders 0-9a-f of mp3 files and annotations_final.csv."""

import argparse
import csv
from collections import Counter
from pathlib import Path

from s3prl_pemr.prepare.build import add_build_arguments, build_store
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.store_index import StoreError, printable
from s3prl_pemr.tag_list import write_tags

HELP = "MagnaTagATune, or a data set in its layout"
ANNOTATIONS_FILE = "annotations_final.csv"
ID_COLUMN, PATH_COLUMN = "clip_id", "mp3_path"
SPLIT_FOLDERS = {"train": "0123456789ab", "valid": "c", "test": "def"}
FOLDER_SPLITS = {folder: split for split, folders in SPLIT_FOLDERS.items() for folder in folders}
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "source", metavar="SRC", type=Path, help=f"the folder that holds 0 ... f and {ANNOTATIONS_FILE}"
    )
    parser.add_argument(
        "destination", metavar="DST", type=Path, help="the store; the same command again goes on"
    )
    parser.add_argument(
        "--split", choices=["pons"], default="pons", help="pons: folders 0-b train, c valid, d-f test"
    )
    add_build_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    listing, names = list_mtat(args.source)
    args.destination.mkdir(parents=True, exist_ok=True)
    write_tags(args.destination, names)
    return build_store(listing, args.destination, args.jobs, args.rebuild)


def list_mtat(root: Path) -> tuple[Listing, list[str]]:
    """Every clip of the annotations, sorted by its path, which is its track name, and the tags in order.

    The tags are TOP_50, or all columns where the table has fewer than 50; a clip may have none of them. A
    listed file that is not there is reported by the store as unreadable.

    Raises:
        StoreError: the table is missing or malformed, or a path is in none of the folders 0 ... f.
    """
    path = root / ANNOTATIONS_FILE
    header, rows = _read_table(path)
    names = _chosen_tags(path, header)
    _refuse_twice(path, ID_COLUMN, [row[ID_COLUMN] for row in rows])
    _refuse_twice(path, PATH_COLUMN, [row[PATH_COLUMN] for row in rows])
    sources = [_source(root, path, row, names) for row in rows]
    listing = Listing(root, sorted(sources, key=lambda source: source.track))
    listed = {source.track for source in sources}
    unlisted = [track for track in _audio_files(root) if track not in listed]
    if unlisted:
        listing.remarks.append(
            f"{len(unlisted)} mp3 files are not in {ANNOTATIONS_FILE} and left out: {name_some(unlisted)}"
        )
    bare = sum(not source.labels for source in sources)
    if bare:
        listing.remarks.append(f"{bare} clips have none of the {len(names)} tags")
    return listing, names


def _read_table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            header, *lines = csv.reader(file, delimiter="\t", strict=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise StoreError(f"{path}: is empty") from error
    except csv.Error as error:
        raise StoreError(f"{path}: not a tab-separated table with quoted cells ({error})") from error
    missing = [name for name in (ID_COLUMN, PATH_COLUMN) if name not in header]
    if missing or len(set(header)) != len(header) or len(header) < 3:
        problem = f"no column {' and '.join(missing)}" if missing else "no tags, or a column twice"
        raise StoreError(f"{path}: not MagnaTagATune's table: {problem}")
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise StoreError(f"{path}: line {number} has {len(line)} columns, the first one {len(header)}")
    return header, [dict(zip(header, line, strict=True)) for line in lines]


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


def _source(root: Path, path: Path, row: dict[str, str], names: list[str]) -> Source:
    track = row[PATH_COLUMN]
    folder = track.split("/")[0]
    if folder not in FOLDER_SPLITS:
        raise StoreError(
            f"{path}: {ID_COLUMN} {row[ID_COLUMN]}: {printable(track)!r} is in none of the folders 0 ... f, "
            "which decide the split"
        )
    wrong = [name for name in names if row[name] not in ("0", "1")]
    if wrong:
        raise StoreError(
            f"{path}: {ID_COLUMN} {row[ID_COLUMN]}: {wrong[0]!r} is {row[wrong[0]]!r}, not 0 or 1"
        )
    labels = tuple(name for name in names if row[name] == "1")
    return Source(track, root / track, FOLDER_SPLITS[folder], labels)


def _refuse_twice(path: Path, column: str, cells: list[str]) -> None:
    twice = [cell for cell, count in Counter(cells).items() if count > 1]
    if twice:
        raise StoreError(f"{path}: {len(twice)} values of {column} come more than once: {name_some(twice)}")


def _audio_files(root: Path) -> list[str]:
    found = (path for folder in FOLDER_SPLITS for path in (root / folder).glob("**/*.mp3"))
    return sorted(path.relative_to(root).as_posix() for path in found if not path.name.startswith("."))
