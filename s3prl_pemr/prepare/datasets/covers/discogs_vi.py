"""`prepare discogs-vi`: Discogs-VI-YT's splits, and what there is of its audio, files named by YouTube ids.

Source: Araz, Serra and Bogdanov, "Discogs-VI" (ISMIR 2024); lists of MTG/discogs-vi-dataset's `main.zip`.
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s3prl_pemr.prepare.build import add_build_arguments
from s3prl_pemr.prepare.source import Listing
from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.store.index import StoreError

from .alignment import Alignment, Version
from .by_id import AUDIO_FOLDER, add_audio_arguments, list_by_id, read_works, store_by_id

HELP = "Discogs-VI-YT, cover songs by YouTube ids: its official splits, as far as their audio is there"
EXAMPLE = "s3prl-pemr prepare discogs-vi main STORE --audio music_dir/audio"
LISTS = {"train": "train", "valid": "val", "test": "test"}  # split -> how its list ends
LIST_NAME = "Discogs-VI-YT-*-light.json."
FOLDERS = (".", "main")
# create_splits.ipynb: works and versions of Discogs-VI-YT-20240701
REAL_COUNTS = {"train": (80_017, 339_771), "valid": (8_890, 37_081), "test": (9_878, 116_197)}
# What yt-dlp calls a file by itself: `Title [ID].m4a`.
WITH_TITLE = re.compile(r".*\[([\w-]{11})\]", re.ASCII | re.DOTALL)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_build_arguments(parser, f"the folder that holds {LIST_NAME}train, .val and .test")
    add_audio_arguments(parser, "ID.mp4, or `TITLE [ID].m4a`, or other suffixes", "drop")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    audio = args.audio or args.source / AUDIO_FOLDER
    listing, aligned = list_discogs_vi(args.source, audio, args.lone == "keep")
    return store_by_id(listing, aligned, args)


def list_discogs_vi(lists: Path, audio: Path, keep_lone: bool = False) -> tuple[Listing, Alignment]:
    """The versions of the split lists that have a file, labelled with their cliques, and what became of all.

    Raises:
        StoreError: a list is missing or malformed, or nothing that it names is there.
    """
    paths = {split: _list_of(lists, ending) for split, ending in LISTS.items()}
    works = {split: read_works(path, _ids) for split, path in paths.items()}
    listed = [
        Version(split, work, name)
        for split, own in works.items()
        for work, names in own.items()
        for name in names
    ]
    release = paths["train"].name.removesuffix("-light.json.train")
    listing, aligned = list_by_id("discogs_vi_yt", release, listed, audio, keep_lone, youtube_id)
    listing.remarks += _remarks(works, {path.name.rpartition(".")[0] for path in paths.values()})
    return listing, aligned


def youtube_id(path: Path) -> str:
    """The id that a file's name is, or ends with in brackets."""
    with_title = WITH_TITLE.fullmatch(path.stem)
    return with_title[1] if with_title else path.stem


def _list_of(folder: Path, ending: str) -> Path:
    found = [path for place in FOLDERS for path in sorted((folder / place).glob(LIST_NAME + ending))]
    if len(found) != 1:
        several = f"there are {len(found)}: {name_some([path.name for path in found])}"
        raise StoreError(
            f"{folder}: needs one {LIST_NAME}{ending}; {several if found else 'there is none'} (main.zip of "
            "Discogs-VI has it)"
        )
    return found[0]


def _ids(versions: Any) -> list[str]:
    return [version["youtube_id"] for version in versions]


def _remarks(works: Mapping[str, Mapping[str, list[str]]], releases: set[str]) -> list[str]:
    remarks = []
    counts = {split: (len(own), sum(map(len, own.values()))) for split, own in works.items()}
    if counts != REAL_COUNTS:
        shown = ", ".join(
            f"{split} {own} works of {versions} versions" for split, (own, versions) in counts.items()
        )
        remarks.append(f"these are not the lists of Discogs-VI-YT-20240701: {shown}")
    if len(releases) > 1:
        remarks.append(f"WARNING: the lists are of several releases: {', '.join(sorted(releases))}")
    where: dict[str, set[str]] = {}
    for split, own in works.items():
        for names in own.values():
            for name in names:
                where.setdefault(name, set()).add(split)
    leaked = sorted(name for name, splits in where.items() if len(splits) > 1)
    if leaked:
        remarks.append(f"WARNING: {len(leaked)} ids are in more than one split: {name_some(leaked)}")
    return remarks
