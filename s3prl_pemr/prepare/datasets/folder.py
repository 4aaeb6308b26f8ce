"""`prepare folder`: any tree of audio files, for pretraining on one's own music, with or without labels."""

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

from s3prl_pemr.prepare.build import add_build_arguments, build_store
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.prepare.walk import AUDIO_SUFFIXES, files_below
from s3prl_pemr.store.dataset_name import DatasetName
from s3prl_pemr.store.index import StoreError, printable

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
    parser.add_argument(
        "--split", default="", help="of every track that the labels give none (default: none)"
    )


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    listing = list_folder(args.source, args.split, args.labels, args.label_by_folder)
    return build_store(listing, args.destination, args.jobs, args.rebuild)


def list_folder(
    root: Path, split: str = "", labels_path: Path | None = None, label_by_folder: bool = False
) -> Listing:
    """Every file below the root whose name says it is audio, sorted by its path, which is its track name.

    Hidden files and folders are left out, and so are AppleDouble files (`._*`); files of other kinds are
    counted in a remark.

    Raises:
        StoreError: the root is no folder, or the labels cannot be read.
    """
    if not root.is_dir():
        raise StoreError(f"{root}: not a folder")
    sources, other = [], Counter()
    for path in sorted(files_below(root), key=lambda path: path.relative_to(root).as_posix()):
        if path.suffix.lower() not in AUDIO_SUFFIXES:
            other[path.suffix.lower() or "no suffix"] += 1
            continue
        relative = path.relative_to(root)
        labels = relative.parts[:1] if label_by_folder and len(relative.parts) > 1 else ()
        sources.append(Source(relative.as_posix(), path, split, labels))
    listing = Listing(root, sources, DatasetName(printable(root.resolve().name)))
    if other:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(other.items()))
        listing.remarks.append(f"left out, not audio by their names: {kinds}")
    if labels_path:
        _take_labels(listing, labels_path)
    if labels_path or label_by_folder:
        bare = [source.track for source in listing.sources if not source.labels]
        if bare:
            listing.remarks.append(f"{len(bare)} tracks have no label: {name_some(bare)}")
    return listing


def _take_labels(listing: Listing, labels_path: Path) -> None:
    table = read_labels(labels_path)
    for i, source in enumerate(listing.sources):
        labels, split = table.pop(source.track, ((), None))
        listing.sources[i] = replace(source, labels=labels, split=source.split if split is None else split)
    if table:
        listing.remarks.append(
            f"{len(table)} paths of {labels_path} are not among the audio files: {name_some(list(table))}"
        )
