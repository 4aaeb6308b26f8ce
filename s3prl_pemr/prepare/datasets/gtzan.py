"""`prepare gtzan`: the GTZAN layout, a folder of .wav or .au files for each genre."""

import argparse
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

from s3prl_pemr.prepare.build import BuildOptions, add_build_arguments, build_store, seed
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.prepare.summary import name_some, others_seen
from s3prl_pemr.prepare.walk import Tree, suffix_of, walk
from s3prl_pemr.store.dataset_name import DatasetName
from s3prl_pemr.store.index import StoreError
from s3prl_pemr.store.track_names import match_tracks, roots_of

from .gtzan_split import FAULT_FILTERED_COUNTS, FOLDS, LISTS, SPLITS, fault_filtered, own_lists, random_folds

HELP = "GTZAN, or a data set in its layout"
EXAMPLE = "s3prl-pemr prepare gtzan GTZAN STORE"
SUFFIXES = (".wav", ".au")
GENRES_FOLDERS = ("genres", "genres_original")
TRACKS = 1_000
# Damaged in the copies on Kaggle and Hugging Face; used where it decodes.
KNOWN_BROKEN = ("jazz.00054",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_build_arguments(
        parser, f"the folder that holds the genres' folders, or {' or '.join(GENRES_FOLDERS)}"
    )
    parser.add_argument(
        "--split",
        choices=["fault-filtered", "random10"],
        default="fault-filtered",
        help="fault-filtered (default): 443 / 197 / 290 tracks by name, the others are left out; random10: "
        "one of ten random stratified folds of all tracks. Scores on the two cannot be compared",
    )
    parser.add_argument(
        "--fold", type=int, choices=range(FOLDS), metavar="K", help="of random10: fold K is the test split, "
        "the next one valid, the other eight train (0 ... 9; default: 0)",
    )  # fmt: skip
    parser.add_argument("--seed", type=seed, metavar="S", help="of random10's shuffle (default: 0)")
    parser.add_argument(
        "--lists",
        type=Path,
        metavar="FOLDER",
        help=f"take {', '.join(LISTS.values())} of this folder (lines GENRE/NAME.wav) in place of the "
        "fault-filtered lists",
    )


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    if args.split == "random10":
        if args.lists:
            raise StoreError("--lists is of the fault-filtered split; leave out --split random10")
        listing = list_folds(args.source, args.fold or 0, args.seed or 0)
    else:
        if args.fold is not None or args.seed is not None:
            raise StoreError("--fold and --seed are of --split random10")
        listing = list_named(args.source, args.lists)
    return build_store(listing, args.destination, BuildOptions.of(args))


def list_named(root: Path, lists: Path | None = None) -> Listing:
    """The tracks that the lists name, there or not, sorted by name.

    Args:
        root: holds the genres' folders, directly or one folder further down.
        lists: folder of the user's own lists; the fault-filtered split where None.

    Raises:
        StoreError: no audio is there, or a list is malformed.
    """
    tree, folder = walk(root), _genres_folder(root)
    there = {source.track: source for source in _tracks(tree)}
    named = own_lists(lists, roots_of(folder)) if lists else fault_filtered()
    found = match_tracks(lists or root, named, there)
    sources = [
        replace(
            there[found.tracks[track]] if track in found.tracks else _absent(folder, genre, track),
            split=split,
            labels=(genre,),
        )
        for track, (genre, split) in sorted(named.items())
    ]
    listing = Listing(root, sources, DatasetName("gtzan", "own lists" if lists else "fault-filtered"))
    listing.remarks += [*tree.remarks(), *found.remark(lists or root)]
    _tell_others(listing, tree, there.values())
    listing.known_broken = KNOWN_BROKEN
    listing.split_counts = _counts(listing) if lists else FAULT_FILTERED_COUNTS
    left_out = sorted(set(there) - set(found.tracks.values()))
    if left_out:
        listing.remarks.append(f"{len(left_out)} tracks are in no list and left out: {name_some(left_out)}")
    if not lists and all((root / name).exists() for name in LISTS.values()):
        listing.remarks.append(f"{root} has lists of its own, which are not used: --lists {root} takes them")
    return listing


def list_folds(root: Path, fold: int, shuffle_seed: int) -> Listing:
    """All tracks, in one of ten random stratified folds.

    Raises:
        StoreError: no audio is there, or fewer than ten tracks of a genre.
    """
    tree = walk(root)
    sources = _tracks(tree)
    splits = random_folds([source.labels[0] for source in sources], shuffle_seed, fold)
    sources = [replace(source, split=split) for source, split in zip(sources, splits, strict=True)]
    listing = Listing(root, sources, DatasetName("gtzan", f"random10, fold {fold}, seed {shuffle_seed}"))
    listing.known_broken, listing.split_counts = KNOWN_BROKEN, _counts(listing)
    listing.remarks += tree.remarks()
    _tell_others(listing, tree, sources)
    if len(sources) != TRACKS:
        listing.remarks.append(
            f"{len(sources)} tracks, and GTZAN has {TRACKS}: the folds are others than those of the whole set"
        )
    return listing


def _counts(listing: Listing) -> dict[str, int]:
    return {split: listing.count_splits().get(split, 0) for split in SPLITS}


def _absent(folder: Path, genre: str, track: str) -> Source:
    return Source(track, folder / genre / f"{track}.wav")


def _genres_folder(root: Path) -> Path:
    return next((root / name for name in GENRES_FOLDERS if (root / name).is_dir()), root)


def _tell_others(listing: Listing, tree: Tree, there: Iterable[Source]) -> None:
    listing.others = tree.unused_audio(source.path for source in there)
    if listing.others:
        listing.remarks.append(f"left out: {others_seen(listing.others)}")


def _tracks(tree: Tree) -> list[Source]:
    """Every track that is there, sorted by its name, labelled with its folder."""
    root, folder = tree.root, _genres_folder(tree.root)
    paths = [path for path in tree.files if suffix_of(path) in SUFFIXES and path.parent.parent == folder]
    if not paths:
        raise StoreError(
            f"{root}: there is no GENRE/*.wav or GENRE/*.au here, nor in {' or '.join(GENRES_FOLDERS)}; "
            f"{others_seen(list(tree.named_audio()))}"
        )
    twice = [name for name, count in Counter(path.stem for path in paths).items() if count > 1]
    if twice:
        raise StoreError(f"{root}: {len(twice)} tracks are there twice, as .wav and .au: {name_some(twice)}")
    return [
        Source(path.stem, path, labels=(path.parent.name,)) for path in sorted(paths, key=attrgetter("stem"))
    ]
