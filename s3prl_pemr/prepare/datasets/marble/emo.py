"""`prepare emo`: Emotion in Music (MediaEval 2013): 744 clips of 45 s, rated for arousal and valence."""

import argparse
import math
from pathlib import Path

from s3prl_pemr.prepare.build import BuildOptions, add_build_arguments, build_store
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.prepare.summary import others_seen
from s3prl_pemr.prepare.walk import walk
from s3prl_pemr.report.printable import printable
from s3prl_pemr.store.dataset_name import DatasetName
from s3prl_pemr.store.groups import Group
from s3prl_pemr.store.index import StoreError

from .split_by_artist import plain_name, split_of_name
from .table import read_table

HELP = "Emotion in Music: arousal and valence (MARBLE's EMO)"
EXAMPLE = "s3prl-pemr prepare emo emomusic STORE"
SONGS_FILE, RATINGS_FILE = "songs_info.csv", "static_annotations.csv"
TARGETS = ("arousal", "valence")
SONG_COLUMNS = ("song_id", "Artist", "Song title", "Mediaeval 2013 set")
RATING_COLUMNS = ("song_id", *(f"mean_{target}" for target in TARGETS))
SETS = ("development", "evaluation")
CLIP_FOLDERS = ("clips_45seconds", "clips_45sec/clips_45seconds", "clips_45sec")
# jukemir/datasets/test.py
REAL_COUNTS = {"train": 504, "valid": 115, "test": 125}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_build_arguments(
        parser,
        f"the folder that holds {CLIP_FOLDERS[0]} and, there or in annotations, {SONGS_FILE} and "
        f"{RATINGS_FILE}",
    )


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    return build_store(list_emo(args.source), args.destination, BuildOptions.of(args))


def list_emo(root: Path) -> Listing:
    """The songs, by number, labelled `arousal=3.1` and `valence=3`: means of ratings from 1 to 9.

    The evaluation set is the test split; of the development set, a fifth of the artists is valid.

    Raises:
        StoreError: a table is missing or malformed, or does not rate a song.
    """
    tables = next(
        (root / name for name in (".", "annotations") if (root / name / SONGS_FILE).is_file()), root
    )
    songs = read_table(tables / SONGS_FILE, SONG_COLUMNS, ",")
    ratings = {row["song_id"]: row for row in read_table(tables / RATINGS_FILE, RATING_COLUMNS, ",")}
    folder = next((root / name for name in CLIP_FOLDERS if (root / name).is_dir()), root / CLIP_FOLDERS[0])
    sources, groups = [], {}
    for song in songs:
        number = song["song_id"]
        labels = _labels(tables / RATINGS_FILE, number, ratings.get(number))
        source = Source(number, folder / f"{number}.mp3", _split(tables / SONGS_FILE, song), labels)
        sources.append(source)
        groups[number] = Group(printable(song["Artist"]), f"{number}: {printable(song['Song title'])}")
    sources.sort(key=lambda source: source.track.zfill(9))
    tree = walk(root)
    others = tree.unused_audio(source.path for source in sources)
    remarks = [*tree.remarks(), *([f"left out: {others_seen(others)}"] if others else [])]
    listing = Listing(
        root, sources, DatasetName("emomusic", "marble"), remarks, tags=TARGETS, groups=groups, others=others
    )
    listing.split_counts = {name: listing.count_splits().get(name, 0) for name in REAL_COUNTS}
    if listing.split_counts != REAL_COUNTS:
        remarks.append(f"{SONGS_FILE} gives {listing.split_counts}; of the published one: {REAL_COUNTS}")
    return listing


def _split(path: Path, song: dict[str, str]) -> str:
    part = song["Mediaeval 2013 set"]
    if part not in SETS:
        raise StoreError(
            f"{path}: song {printable(song['song_id'])} is of the set {printable(part)!r}, not of "
            f"{' or '.join(SETS)}"
        )
    return "test" if part == "evaluation" else split_of_name(plain_name(song["Artist"]), 8, 2)


def _labels(path: Path, number: str, rating: dict[str, str] | None) -> tuple[str, ...]:
    if rating is None:
        raise StoreError(f"{path}: has no rating of song {printable(number)}")
    labels = []
    for target in TARGETS:
        cell = rating[f"mean_{target}"]
        try:
            known = math.isfinite(float(cell))
        except ValueError:
            known = False
        if not known:
            raise StoreError(
                f"{path}: mean_{target} of song {printable(number)} is {printable(cell)!r}, no number"
            )
        labels.append(f"{target}={float(cell):g}")
    return tuple(labels)
