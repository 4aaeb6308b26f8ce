"""`prepare folder`: any tree of audio files, for pretraining on one's own music, with or without labels."""

import argparse
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from s3prl_pemr.audio import FOREIGN_SUFFIXES
from s3prl_pemr.prepare.build import add_build_arguments, build_store
from s3prl_pemr.prepare.labels import read_labels
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.store_index import StoreError

HELP = "any folder of audio files"
SUFFIXES = frozenset(
    (".aif", ".aifc", ".aiff", ".au", ".bwf", ".caf", ".flac", ".mp2", ".mp3", ".oga", ".ogg", ".opus")
    + (".rf64", ".snd", ".sph", ".voc", ".w64", ".wav", ".wave")
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("source", metavar="SRC", type=Path, help="the folder; its sub-folders are read too")
    parser.add_argument(
        "destination", metavar="DST", type=Path, help="the store; the same command again goes on"
    )
    labels = parser.add_mutually_exclusive_group()
    labels.add_argument(
        "--labels",
        type=Path,
        metavar="TSV",
        help="path<TAB>label|label...[<TAB>split], paths relative to SRC",
    )
    labels.add_argument(
        "--label-by-folder", action="store_true", help="label each track with its first folder below SRC"
    )
    parser.add_argument(
        "--split", default="", help="of every track that the labels give none (default: none)"
    )
    add_build_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    listing = list_folder(args.source, args.split, args.labels, args.label_by_folder)
    return build_store(listing, args.destination, args.jobs, args.rebuild)


def list_folder(
    root: Path, split: str = "", labels_path: Path | None = None, label_by_folder: bool = False
) -> Listing:
    """Every file below the root whose name says it is audio, sorted by its path, which is its track name.

    Hidden files and folders are left out, and so are AppleDouble files (`._*`). Files of formats that
    libsndfile does not read are listed, so that they are reported as unreadable; files of other kinds are
    counted in a remark.

    Raises:
        StoreError: the root is no folder, or the labels cannot be read.
    """
    if not root.is_dir():
        raise StoreError(f"{root}: not a folder")
    sources, other = [], Counter()
    for path in sorted(_files(root), key=lambda path: path.relative_to(root).as_posix()):
        if path.suffix.lower() not in SUFFIXES | FOREIGN_SUFFIXES:
            other[path.suffix.lower() or "no suffix"] += 1
            continue
        relative = path.relative_to(root)
        labels = relative.parts[:1] if label_by_folder and len(relative.parts) > 1 else ()
        sources.append(Source(relative.as_posix(), path, split, labels))
    listing = Listing(root, sources)
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


def _files(root: Path) -> Iterator[Path]:
    seen = set()  # links to folders are followed, each folder once
    for folder, folders, files in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        yield from (Path(folder, name) for name in files if not name.startswith("."))


def _take_labels(listing: Listing, labels_path: Path) -> None:
    table = read_labels(labels_path)
    for i, source in enumerate(listing.sources):
        labels, split = table.pop(source.track, ((), None))
        listing.sources[i] = replace(source, labels=labels, split=source.split if split is None else split)
    if table:
        listing.remarks.append(
            f"{len(table)} paths of {labels_path} are not among the audio files: {name_some(list(table))}"
        )
