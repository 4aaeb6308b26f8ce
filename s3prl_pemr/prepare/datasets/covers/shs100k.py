"""`prepare shs100k`: SHS100K's split lists, and what there is of its audio, files named SET_VER.*."""

import argparse
from pathlib import Path

from s3prl_pemr.prepare.build import BuildOptions, add_build_arguments, build_store, seed
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.prepare.summary import name_some, others_seen
from s3prl_pemr.prepare.walk import walk
from s3prl_pemr.store.dataset_name import DatasetName
from s3prl_pemr.store.index import INDEX_FILE, StoreError, read_index

from . import shs100k_lists
from .audio_by_id import audio_by_id

HELP = "SHS100K, cover songs, or a data set in its layout"
EXAMPLE = "s3prl-pemr prepare shs100k SHS100K STORE --sample 1000"
LISTS_FOLDER, AUDIO_FOLDER = "lists", "audio"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_build_arguments(parser, "the folder that holds SHS100K-TRAIN, -VAL, -TEST, and audio")
    parser.add_argument(
        "--lists", type=Path, metavar="FOLDER", help="where the split lists lie (default: SRC)"
    )
    parser.add_argument(
        "--audio", type=Path, metavar="FOLDER", help="holds SET_VER.*, at any depth (default: SRC/audio)"
    )
    parser.add_argument(
        "--min-versions",
        type=int,
        default=6,
        metavar="N",
        help="leave out training works with fewer in the list (default: 6, as the paper)",
    )
    parser.add_argument(
        "--straddling",
        choices=["keep", "drop"],
        default="keep",
        help="works in two splits (5982 and 8110 of SHS100K2): keep them in both (default), as published, or "
        "drop them from all but their last split",
    )
    parser.add_argument(
        "--sample", type=int, metavar="N", help="draw about N tracks whose audio is there, whole works, 8:1:1"
    )
    parser.add_argument("--seed", type=seed, default=0, metavar="S", help="of --sample (default: 0)")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    listing = list_shs100k(
        args.lists or args.source,
        args.audio or args.source / AUDIO_FOLDER,
        args.min_versions,
        args.straddling == "drop",
        args.sample,
        args.seed,
    )
    lists = args.destination / LISTS_FOLDER
    listing.remarks.append(f"lists of what is stored: {lists} (--lists {lists} --min-versions 1 takes them)")
    status = build_store(listing, args.destination, BuildOptions.of(args))
    if status == 0:
        entries, _ = read_index(args.destination / INDEX_FILE)
        stored = {split: [] for split in shs100k_lists.LIST_NAMES}
        for entry in entries:
            stored[entry.split].append(entry.track.partition("@")[0])
        shs100k_lists.write_lists(lists, stored)
    return status


def list_shs100k(
    lists: Path,
    audio: Path,
    min_versions: int = 6,
    drop_straddling: bool = False,
    sample: int | None = None,
    sample_seed: int = 0,
) -> Listing:
    """The tracks of the lists, in their order, labelled with their works; those without audio too.

    Args:
        lists: folder of the split lists.
        audio: folder of the audio, searched at any depth.
        min_versions: training works with fewer are left out.
        drop_straddling: leave a work in its last split only.
        sample: draw about so many tracks; only such that have audio.
        sample_seed: of the draw.

    Raises:
        StoreError: there is no audio folder, a list is malformed, or there is too little to sample from.
    """
    listed = shs100k_lists.read_lists(lists)
    if not audio.is_dir():
        seen = ""
        if audio == lists / AUDIO_FOLDER:  # the default: it may lie beside it
            seen = f"; below {lists} {others_seen(list(walk(lists).named_audio()))}"
        raise StoreError(f"{audio}: not a folder; say where the audio lies with --audio FOLDER{seen}")
    name, remarks = shs100k_lists.release(listed), []
    without_list = [split for split, tracks in listed.items() if not tracks]
    if without_list:
        remarks.append(f"WARNING: {lists} has no list of the split {', '.join(without_list)}")
    if name == shs100k_lists.FIRST_RELEASE:
        remarks.append(f"WARNING: these are the lists of the {name}, not the paper's (SHS100K2, 8:1:1)")
    splits = _choose(listed, min_versions, drop_straddling, remarks)
    chosen = f"min-versions {min_versions}, straddling {'drop' if drop_straddling else 'keep'}"
    tree = walk(audio)
    remarks += tree.remarks()
    files = audio_by_id(tree, remarks)
    all_listed = {track for tracks in listed.values() for track in tracks}
    others = [name for name, path in tree.named_audio().items() if path.stem not in all_listed]
    if others:
        remarks.append(f"left out, not the SET_VER of the lists: {others_seen(others)}")
    if sample is not None:
        splits = shs100k_lists.sample(splits, files.keys(), sample, sample_seed)
        chosen += f", sample {sample}, seed {sample_seed}"
    counts = shs100k_lists.count(splits)
    if listed["train"] and not splits["train"]:
        remarks.append("WARNING: no training track is left; a lower --min-versions keeps some")
    remarks.append(
        "chosen: " + ", ".join(f"{split} {n} tracks of {works} works" for split, (n, works) in counts.items())
    )
    dataset = DatasetName("shs100k", f"{name}, {chosen}")
    listing = Listing(audio, _sources(splits, files, audio), dataset, remarks, others=others)
    listing.split_counts = {split: tracks for split, (tracks, _) in counts.items() if tracks}
    return listing


def _choose(
    splits: shs100k_lists.Splits, min_versions: int, drop_straddling: bool, remarks: list[str]
) -> shs100k_lists.Splits:
    enough = shs100k_lists.with_versions(splits, min_versions)
    left_out = len(splits["train"]) - len(enough["train"])
    if left_out:
        remarks.append(
            f"{left_out} training tracks are left out: their works have fewer than {min_versions} versions "
            "in the list"
        )
    in_two = shs100k_lists.straddling(enough)
    if in_two:
        works = name_some([f"{work} ({' + '.join(of)})" for work, of in in_two.items()])
        kept = "in the last one only" if drop_straddling else "in each, see --straddling"
        remarks.append(f"{len(in_two)} works are in more than one split, and kept {kept}: {works}")
    return shs100k_lists.without_straddling(enough) if drop_straddling else enough


def _sources(splits: shs100k_lists.Splits, files: dict[str, Path], audio: Path) -> list[Source]:
    """A track that is in two splits is stored twice; all but its last split have it as SET_VER@SPLIT."""
    last = {track: split for split, tracks in splits.items() for track in tracks}
    return [
        Source(
            track if last[track] == split else f"{track}@{split}",
            files.get(track, audio / f"{track}.*"),
            split,
            (shs100k_lists.work_of(track),),
        )
        for split, tracks in splits.items()
        for track in tracks
    ]
