"""`prepare jamendo`: a subset of MTG-Jamendo, by the split lists of the data set's repository."""

import argparse
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from s3prl_pemr.prepare.build import BuildOptions, add_build_arguments, build_store
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.prepare.walk import walk
from s3prl_pemr.report.printable import printable
from s3prl_pemr.store.dataset_name import DatasetName
from s3prl_pemr.store.groups import Group
from s3prl_pemr.store.index import StoreError

HELP = "MTG-Jamendo: top50tags, genre, instrument or moodtheme"
EXAMPLE = "s3prl-pemr prepare jamendo AUDIO STORE --subset moodtheme --lists REPOSITORY/data/splits/split-0"
HEADER = ("TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS")
SPLITS = {"train": "train", "valid": "validation", "test": "test"}
LISTS = ("data/splits/split-0", "mtg-jamendo-dataset/data/splits/split-0", ".")
# Of split-0: tracks of each split, and tags; its README counts 59 moods and 95 genres, before tags that some
# split lacks were dropped.
REAL_COUNTS = {
    "top50tags": ({"train": 32_136, "valid": 10_888, "test": 11_356}, 50),
    "genre": ({"train": 32_572, "valid": 11_043, "test": 11_479}, 87),
    "instrument": ({"train": 14_395, "valid": 5_466, "test": 5_115}, 40),
    "moodtheme": ({"train": 9_949, "valid": 3_802, "test": 4_231}, 56),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_build_arguments(parser, "the folder of the audio, 00 ... 99 below it, full (.mp3) or .low.mp3")
    parser.add_argument(
        "--subset", choices=sorted(REAL_COUNTS), default="top50tags", help="default: top50tags"
    )
    parser.add_argument(
        "--lists",
        type=Path,
        metavar="FOLDER",
        help=f"of autotagging_SUBSET-train.tsv and the like; default: {LISTS[0]} of SRC, of a clone of the "
        "data set's repository in SRC, or SRC",
    )


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    listing = list_jamendo(args.source, args.subset, args.lists)
    return build_store(listing, args.destination, BuildOptions.of(args))


def list_jamendo(root: Path, subset: str = "top50tags", lists: Path | None = None) -> Listing:
    """The tracks of the lists, in their order, named by their paths there (`24/3524.mp3`).

    Args:
        root: the audio is below it.
        subset: a key of REAL_COUNTS.
        lists: folder of the three lists; None: looked for in LISTS.

    Raises:
        StoreError: a list is missing or malformed, or a track's audio is there twice.
    """
    name = f"autotagging_{subset}-{{}}.tsv"
    if lists is None:
        places = [root / place for place in LISTS]
        lists = next((place for place in places if (place / name.format("train")).is_file()), None)
        if lists is None:
            raise StoreError(
                f"{root}: there is no {name.format('train')} in {', '.join(LISTS)}: name the folder of the "
                "lists with --lists"
            )
    tree = walk(root)
    audio = _by_number(root, tree.named_audio())
    sources, groups = [], {}
    for split, spelt in SPLITS.items():
        path = lists / name.format(spelt)
        for track, artist, number, tags in _read_list(path):
            if track in groups:
                raise StoreError(f"{path}: {printable(track)} is in another list too")
            place = audio.get(_number(track), root / track)
            sources.append(Source(track, place, split, tags))
            groups[track] = Group(artist, number)
    others = tree.unused_audio(source.path for source in sources)
    remarks = tree.remarks()
    if others:
        remarks.append(
            f"{len(others)} audio files are in no list of {subset} and left out: {name_some(others)}"
        )
    tags = sorted({tag for source in sources for tag in source.labels})
    dataset = DatasetName("mtg_jamendo", f"{subset}, {lists.resolve().name}")
    listing = Listing(root, sources, dataset, remarks, tags=tags, groups=groups, others=others)
    listing.split_counts = listing.count_splits()
    if (listing.split_counts, len(tags)) != REAL_COUNTS[subset]:
        counts, number = REAL_COUNTS[subset]
        remarks.append(
            f"the lists have {listing.split_counts} and {len(tags)} tags; the data set's split-0 has "
            f"{counts} and {number}"
        )
    return listing


def _read_list(path: Path) -> Iterable[tuple[str, str, str, tuple[str, ...]]]:
    """Path, artist, number and tags of each line; tags fill all columns from the sixth on."""
    try:
        lines = path.read_bytes().decode("utf-8-sig", "surrogateescape").splitlines()
    except OSError as error:
        raise StoreError(f"{path}: the list cannot be read ({error.strerror})") from error
    if not lines or tuple(lines[0].split("\t")) != HEADER:
        raise StoreError(f"{path}: its first line is not {'<TAB>'.join(HEADER)}")
    seen = set()
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if cells == [""]:
            continue
        track, tags = (cells[3], tuple(tag for tag in cells[5:] if tag)) if len(cells) > 5 else ("", ())
        if not tags or PurePosixPath(track).is_absolute() or ".." in PurePosixPath(track).parts:
            raise StoreError(f"{path}: line {number} should be {'<TAB>'.join(HEADER)}, with one tag at least")
        if track in seen:
            raise StoreError(f"{path}: line {number} lists {printable(track)} for the second time")
        seen.add(track)
        yield track, cells[1], cells[0], tags


def _number(path: str) -> str:
    """`24/3524` of `audio-low/24/3524.low.mp3`."""
    *_, folder, name = ("", *PurePosixPath(path).parts)
    return f"{folder}/{name.partition('.')[0]}"


def _by_number(root: Path, audio: dict[str, Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name, path in audio.items():
        number = _number(name)
        if number in found:
            raise StoreError(
                f"{root}: {printable(number)} is there twice, as {printable(str(found[number]))} and "
                f"{printable(str(path))}: name one folder of audio"
            )
        found[number] = path
    return found
