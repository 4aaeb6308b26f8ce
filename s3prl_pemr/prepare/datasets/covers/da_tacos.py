"""`prepare da-tacos`: Da-TACOS' metadata, and what there is of its audio, files named by performance ids.

Source: Yesiler et al., "Da-TACOS: A Dataset for Cover Song Identification and Understanding" (ISMIR 2019).
The data set itself has metadata and features (HDF5), and no audio.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s3prl_pemr.prepare.build import add_build_arguments
from s3prl_pemr.prepare.source import Listing
from s3prl_pemr.store.index import StoreError

from .alignment import Alignment, Version
from .by_id import AUDIO_FOLDER, add_audio_arguments, list_by_id, read_works, store_by_id

HELP = "Da-TACOS, cover songs by SecondHandSongs' performance ids: a subset, as far as its audio is there"
EXAMPLE = "s3prl-pemr prepare da-tacos da-tacos STORE --audio MUSIC"
# Works and versions: 1,000 works of 13 and 2,000 of one, which are distractors; 5,000 of two.
REAL_COUNTS = {"benchmark": (3_000, 15_000), "coveranalysis": (5_000, 10_000)}
FOLDERS = (".", "da-tacos_metadata", "metadata")
SPLIT = "test"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_build_arguments(parser, f"the folder that holds {_metadata_name('SUBSET')}, or its {FOLDERS[1]}")
    add_audio_arguments(parser, "P_547131.mp3 and the like", "keep")
    parser.add_argument(
        "--subset",
        choices=sorted(REAL_COUNTS),
        default="benchmark",
        help="benchmark (default): 15,000 versions of 3,000 works; coveranalysis: 10,000 of 5,000, "
        "all others",
    )
    parser.add_argument(
        "--split",
        choices=["train", "valid", "test"],
        default=SPLIT,
        help=f"what the subset is in the store (default: {SPLIT}); train, of coveranalysis, to train on it",
    )


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    audio = args.audio or args.source / AUDIO_FOLDER
    listing, aligned = list_da_tacos(args.source, audio, args.subset, args.lone == "keep", args.split)
    return store_by_id(listing, aligned, args)


def list_da_tacos(
    root: Path, audio: Path, subset: str = "benchmark", keep_lone: bool = True, split: str = SPLIT
) -> tuple[Listing, Alignment]:
    """The performances of a subset that have a file, labelled with their works, and what became of all.

    Raises:
        StoreError: the metadata is missing or malformed, or nothing that it names is there.
    """
    name = _metadata_name(subset)
    path = next((root / place / name for place in FOLDERS if (root / place / name).is_file()), None)
    if path is None:
        raise StoreError(
            f"{root}: there is no {name} here, nor in {FOLDERS[1]} (da-tacos_metadata.zip has it)"
        )
    works = read_works(path, _ids)
    listed = [Version(split, work, name) for work, names in works.items() for name in names]
    listing, aligned = list_by_id("da_tacos", subset, listed, audio, keep_lone, lambda file: file.stem)
    counts = len(works), len(listed)
    if counts != REAL_COUNTS[subset]:
        real, versions = REAL_COUNTS[subset]
        listing.remarks.append(
            f"{counts[1]} versions of {counts[0]} works, not the {versions} of {real} of Da-TACOS' {subset} "
            "subset"
        )
    return listing, aligned


def _metadata_name(subset: str) -> str:
    return f"da-tacos_{subset}_subset_metadata.json"


def _ids(performances: Mapping[str, Any]) -> list[str]:
    return list(performances.keys())
