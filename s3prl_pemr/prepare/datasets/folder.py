"""`prepare folder`: any tree of audio files, for pretraining on one's own music, with or without labels."""

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

from s3prl_pemr.prepare.build import BuildOptions, add_build_arguments, build_store, seed
from s3prl_pemr.prepare.drawn_split import UNITS, DrawnSplit, draw_splits, shares
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.prepare.walk import is_audio, suffix_of, walk
from s3prl_pemr.report.printable import printable
from s3prl_pemr.store.dataset_name import DatasetName
from s3prl_pemr.store.index import StoreError
from s3prl_pemr.store.track_names import match_tracks, roots_of

from .labels import read_labels

HELP = "any folder of audio files"
EXAMPLE = "s3prl-pemr prepare folder MUSIC STORE"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_build_arguments(parser, "the folder; its sub-folders are read too")
    labels = parser.add_mutually_exclusive_group()
    labels.add_argument(
        "--labels",
        type=Path,
        metavar="TSV",
        help="path<TAB>label|label...[<TAB>split], or below the header path<TAB>work<TAB>version; paths "
        "relative to SRC",
    )
    labels.add_argument(
        "--label-by-folder", action="store_true", help="label each track with its first folder below SRC"
    )
    splits = parser.add_mutually_exclusive_group()
    splits.add_argument(
        "--split", default="", help="of every track that the labels give none (default: none)"
    )
    splits.add_argument(
        "--split-by",
        type=shares,
        metavar="80/10/10",
        help="draw train, valid and test for tracks that the labels give none, by whole folders: an album "
        "stays together",
    )
    parser.add_argument("--split-unit", choices=UNITS, default="folder", help="what --split-by draws")
    parser.add_argument("--seed", type=seed, default=0, help="of --split-by (default: 0)")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    listing = list_folder(args.source, args.split, args.labels, args.label_by_folder)
    if args.split_by:
        drawn = DrawnSplit(args.split_by, args.seed, args.split_unit)
        listing.sources, line = draw_splits(listing.sources, drawn)
        listing.remarks.append(line)
        listing.dataset = replace(listing.dataset, split=str(drawn))
    return build_store(listing, args.destination, BuildOptions.of(args))


def list_folder(
    root: Path, split: str = "", labels_path: Path | None = None, label_by_folder: bool = False
) -> Listing:
    """Every file below the root whose name says it is audio, sorted by its path, which is its track name.

    What is left out (files of other kinds, what systems leave behind, folders that cannot be read) is counted
    and named in remarks.

    Raises:
        StoreError: the root is no folder, or the labels cannot be read or are of no file, or of several.
    """
    if not root.is_dir():
        raise StoreError(f"{root}: not a folder")
    tree = walk(root)
    sources = []
    for track, path in tree.named_audio().items():
        folders = track.split("/")[:-1]
        sources.append(Source(track, path, split, tuple(folders[:1]) if label_by_folder else ()))
    listing = Listing(root, sources, DatasetName(printable(root.resolve().name)))
    other = [path for path in tree.files if not is_audio(path)]
    if other:
        suffixes = Counter(suffix_of(path) or "no suffix" for path in other)
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(suffixes.items()))
        names = name_some([path.relative_to(root).as_posix() for path in other])
        listing.remarks.append(f"left out, not audio by their names: {kinds}: {names}")
    listing.remarks += tree.remarks()
    if labels_path:
        _take_labels(listing, labels_path)
    if labels_path or label_by_folder:
        bare = [source.track for source in listing.sources if not source.labels]
        if bare:
            listing.remarks.append(f"{len(bare)} tracks have no label: {name_some(bare)}")
    return listing


def _take_labels(listing: Listing, labels_path: Path) -> None:
    table = read_labels(labels_path)
    tracks = [source.track for source in listing.sources]
    found = match_tracks(labels_path, table, tracks, roots_of(listing.root))
    if tracks and not found.tracks:
        example = f" ({name_some(found.missing)})" if found.missing else ""
        raise StoreError(
            f"{labels_path}: none of its {len(table)} paths{example} is one of the {len(tracks)} audio files "
            f"of {listing.root} ({name_some(tracks)}); paths are relative to SRC"
        )
    labelled = {track: table[path] for path, track in found.tracks.items()}
    for i, source in enumerate(listing.sources):
        labels, split = labelled.get(source.track, ((), None))
        listing.sources[i] = replace(source, labels=labels, split=source.split if split is None else split)
    listing.remarks += found.remark(labels_path)
    if found.missing:
        listing.remarks.append(
            f"{len(found.missing)} paths of {labels_path} are not among the audio files: "
            f"{name_some(found.missing)}"
        )
