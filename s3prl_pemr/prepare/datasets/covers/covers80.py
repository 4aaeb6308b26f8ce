"""`prepare covers80`: the Covers80 layout, a folder of mp3 files for each song, list1.list and list2.list."""

import argparse
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from s3prl_pemr.prepare.build import BuildOptions, add_build_arguments, build_store
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.prepare.summary import name_some, others_seen
from s3prl_pemr.prepare.walk import suffix_of, walk
from s3prl_pemr.store.dataset_name import DatasetName
from s3prl_pemr.store.index import StoreError
from s3prl_pemr.store.track_names import match_tracks, relative_to_root, roots_of

from ..split_lists import read_disjoint_lists

HELP = "Covers80, cover songs, or a data set in its layout"
EXAMPLE = "s3prl-pemr prepare covers80 covers80 STORE"
FOLDERS = ("coversongs/covers32k", "covers32k", ".")
LIST_NAMES = {name: (f"{name}.list", f"{name}.txt") for name in ("list1", "list2")}
SPLIT = "test"
REAL_COUNTS = {"lists": 160, "all": 164}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_build_arguments(parser, f"the folder that holds {FOLDERS[0]}, or that folder")
    parser.add_argument(
        "--tracks",
        choices=sorted(REAL_COUNTS),
        default="lists",
        help="lists (default): the 160 of list1 and list2, two of each song; all: every mp3 file, 164, which "
        "adds covers of three songs. Scores on the two cannot be compared",
    )


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    listing = list_covers80(args.source, args.tracks)
    return build_store(listing, args.destination, BuildOptions.of(args))


def list_covers80(root: Path, tracks: str = "lists") -> Listing:
    """The tracks, named SONG/FILE without suffix as the files are, in the test split, labelled with the song.

    Args:
        root: holds the songs' folders, directly or in coversongs/covers32k.
        tracks: "lists", in the order of the lists, there or not; or "all" that are there, sorted.

    Raises:
        StoreError: there are no mp3 files, or a list is missing or malformed.
    """
    tree = walk(root)
    songs = [path for path in tree.files if suffix_of(path) == ".mp3"]
    places = {path.parent.parent for path in songs}
    folder = next((root / name for name in FOLDERS if root / name in places), None)
    if folder is None:
        seen = others_seen(list(tree.named_audio()))
        raise StoreError(f"{root}: there is no SONG/*.mp3 here, nor in {FOLDERS[0]}; {seen}")
    there = {
        path.relative_to(folder).as_posix()[: -len(".mp3")]: path
        for path in songs
        if path.parent.parent == folder
    }
    others = tree.unused_audio(there.values())
    remarks = [*tree.remarks(), *([f"left out: {others_seen(others)}"] if others else [])]
    names = sorted(there)
    if tracks == "lists":
        listed = _listed(folder)
        found = match_tracks(folder, listed, there)
        names = [found.tracks.get(name, name) for name in listed]
        remarks += found.remark(folder)
    sources = [
        Source(name, there.get(name, folder / f"{name}.mp3"), SPLIT, (name.split("/")[0],)) for name in names
    ]
    real = len(sources) == REAL_COUNTS[tracks]
    name = f"{len(sources)} tracks ({'list1 and list2' if tracks == 'lists' else 'all'})"
    listing = Listing(root, sources, DatasetName("covers80", name), remarks, others=others)
    listing.split_counts = {SPLIT: len(sources)}
    if not real:
        listing.remarks.append(f"{len(sources)} tracks, not the {REAL_COUNTS[tracks]} of Covers80")
    unlisted = sorted(set(there) - set(names))
    if unlisted:
        listing.remarks.append(
            f"{len(unlisted)} mp3 files are in neither list and left out (--tracks all takes them): "
            f"{name_some(unlisted)}"
        )
    versions = Counter(source.labels[0] for source in sources)
    alone = [song for song in versions if versions[song] == 1]
    if alone:
        listing.remarks.append(f"{len(alone)} songs have one version only, and no cover: {name_some(alone)}")
    return listing


def _listed(folder: Path) -> list[str]:
    paths = {}
    for name, files in LIST_NAMES.items():
        places = [place / file for place in (folder, folder.parent) for file in files]
        paths[name] = next((path for path in places if path.exists()), places[0])
    return list(read_disjoint_lists(paths, partial(_track, roots=roots_of(folder))))


def _track(line: str, roots: Sequence[str]) -> str:
    path = PurePosixPath(relative_to_root(line.strip().removesuffix(".mp3"), roots))
    if len(path.parts) != 2 or ".." in path.parts:
        raise ValueError("it should be SONG/FILE, without a suffix")
    return path.as_posix()
