"""Reads the annotations of GiantSteps key (a file for each track) and of GiantSteps MTG key (two tables)."""

from dataclasses import dataclass
from pathlib import Path

from s3prl_pemr.report.printable import printable
from s3prl_pemr.store.index import StoreError

from .split_by_artist import splits_of_songs
from .table import read_table

TONICS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
KEYS = tuple(f"{tonic} {mode}" for mode in ("major", "minor") for tonic in TONICS)  # MARBLE's order
FLATS = {"C#": "Db", "D#": "Eb", "F#": "Gb", "G#": "Ab", "A#": "Bb"}
SUFFIX = ".LOFI.key"
CONFIDENT = "2"
# jukemir/datasets/__init__.py: of 116 parts of the artists' names
TRAIN_PARTS, VALID_PARTS = 100, 16


@dataclass(frozen=True)
class Annotated:
    """A track with its key, one of KEYS; `artist` is empty where the data set does not say it."""

    number: str
    key: str
    split: str
    artist: str = ""


def spelt(key: str) -> str | None:
    """A key as KEYS has it, from `C# minor` or `eb major`; None where it is none of them."""
    tonic, _, mode = key.strip().partition(" ")
    tonic = tonic[:1].upper() + tonic[1:]
    found = f"{FLATS.get(tonic, tonic)} {mode.strip()}"
    return found if found in KEYS else None


def read_test_keys(repository: Path) -> list[Annotated]:
    """All tracks of GiantSteps key, by number, from annotations/key/NUMBER.LOFI.key.

    Raises:
        StoreError: there are no such files, or one is no key.
    """
    folder = repository / "annotations" / "key"
    tracks = []
    for path in sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.name.zfill(30)):
        text = path.read_bytes().decode("utf-8", "replace")
        key = spelt(text)
        if key is None:
            raise StoreError(f"{path}: {printable(text.strip())!r} is no key")
        tracks.append(Annotated(path.name.removesuffix(SUFFIX), key, "test"))
    if not tracks:
        raise StoreError(f"{folder}: there is no NUMBER{SUFFIX} here")
    return tracks


def read_training_keys(repository: Path) -> tuple[list[Annotated], list[str]]:
    """The tracks of GiantSteps MTG key whose key is certain, in the table's order; the numbers of the others.

    Raises:
        StoreError: a table is missing or malformed, or has no artist of a track.
    """
    folder = repository / "annotations"
    keys = read_table(folder / "annotations.txt", ("ID", "MANUAL KEY", "C"), "\t")
    songs = read_table(folder / "beatport_metadata.txt", ("ID", "ARTIST"), "\t")
    artists = {row["ID"]: [name.strip() for name in row["ARTIST"].split(",")] for row in songs}
    split = dict(zip(artists, splits_of_songs(list(artists.values()), TRAIN_PARTS, VALID_PARTS), strict=True))
    tracks, left_out = [], []
    for row in keys:
        number = row["ID"]
        if row["C"] != CONFIDENT or "/" in row["MANUAL KEY"]:
            left_out.append(number)
            continue
        key = spelt(row["MANUAL KEY"])
        if key is None:
            shown = f"{printable(row['MANUAL KEY'])!r} of {printable(number)}"
            raise StoreError(f"{folder / 'annotations.txt'}: {shown} is no key")
        if number not in artists:
            raise StoreError(f"{folder / 'beatport_metadata.txt'}: has no artist of {printable(number)}")
        tracks.append(Annotated(number, key, split[number], ", ".join(artists[number])))
    return tracks, left_out
