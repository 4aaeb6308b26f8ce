"""`prepare mtat`: the MagnaTagATune layout, folders 0-9a-f of mp3 files and annotations_final.csv."""

import argparse
from pathlib import Path

from s3prl_pemr.prepare.build import BuildOptions, add_build_arguments, build_store
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.prepare.walk import walk
from s3prl_pemr.report.printable import printable
from s3prl_pemr.store.dataset_name import DatasetName
from s3prl_pemr.store.index import StoreError
from s3prl_pemr.store.track_names import match_tracks, relative_to_root, roots_of

from .mtat_tables import (
    ANNOTATIONS_FILE,
    CLIP_INFO_FILE,
    ID_COLUMN,
    PATH_COLUMN,
    read_annotations,
    read_groups_of_clips,
)

HELP = "MagnaTagATune, or a data set in its layout"
EXAMPLE = "s3prl-pemr prepare mtat MagnaTagATune STORE"
SPLIT_FOLDERS = {"train": "0123456789ab", "valid": "c", "test": "def"}
FOLDER_SPLITS = {folder: split for split, folders in SPLIT_FOLDERS.items() for folder in folders}
REAL_CLIPS = 25_863
# pons: musicnn-training, aux/mtt/partition_gt.py; clean: music_dataset_split, MTAT_split.
REAL_COUNTS = {
    "pons": {"train": 18_706, "valid": 1_825, "test": 5_329},
    "clean": {"train": 15_244, "valid": 1_529, "test": 4_332},
}
# clip_id and how its path begins, so that another table's clips of these numbers are not meant. Those that
# partition_gt.py leaves out; one of them is 0 bytes long.
BROKEN = {"35644": "6/norine_braun-", "55753": "8/jacob_heringman-", "57881": "9/american_baroque-"}
# Clips with tags that the published lists of the clean split lack all the same.
NOT_IN_CLEAN = dict.fromkeys(("29", "11268", "11269"), "0/american_bach_soloists-")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_build_arguments(parser, f"the folder that holds 0 ... f and {ANNOTATIONS_FILE}")
    parser.add_argument(
        "--split",
        choices=sorted(REAL_COUNTS),
        default="pons",
        help="pons (default): folders 0-b train, c valid, d-f test, less 3 broken clips; clean: pons less "
        "the clips without any of the tags. Scores on the two cannot be compared",
    )


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    listing = list_mtat(args.source, args.split)
    return build_store(listing, args.destination, BuildOptions.of(args))


def list_mtat(root: Path, split: str = "pons") -> Listing:
    """The clips of a split, sorted by their paths, which are their track names.

    A path may be spelt otherwise than its file; the track has the file's name. A listed file that is not
    there is reported by the store as unreadable. In the pons split a clip may have no tag.

    Raises:
        StoreError: a table is malformed, or a path is in none of the folders 0 ... f.
    """
    path = root / ANNOTATIONS_FILE
    tags, rows = read_annotations(path)
    tree = walk(root)
    audio = tree.named_audio()
    found = match_tracks(path, [row[PATH_COLUMN] for row in rows], audio, roots_of(root))
    others = sorted(set(audio) - set(found.tracks.values()))
    sources, remarks = [], [*tree.remarks(), *found.remark(path)]
    if others:
        remarks.append(
            f"{len(others)} audio files are not in {ANNOTATIONS_FILE} and left out: {name_some(others)}"
        )
    clips, broken, not_in_clean, bare = {}, [], 0, 0
    for row in sorted(rows, key=lambda row: row[PATH_COLUMN]):
        source = _source(path, found.tracks.get(row[PATH_COLUMN]), row, tags)
        if _is_among(BROKEN, row, source.track):
            broken.append(source.track)
            continue
        bare += not source.labels
        if split == "clean" and (not source.labels or _is_among(NOT_IN_CLEAN, row, source.track)):
            not_in_clean += bool(source.labels)
            continue
        sources.append(source)
        clips[row[ID_COLUMN]] = source.track
    if broken:
        remarks.append(f"{len(broken)} clips are left out, broken in the data set: {name_some(broken)}")
    if bare:
        left_out = " and are left out" if split == "clean" else ""
        remarks.append(f"{bare} clips have none of the {len(tags)} tags{left_out}")
    if not_in_clean:
        remarks.append(f"{not_in_clean} tagged clips are left out, as in the published clean split")
    listing = Listing(root, sources, DatasetName("magnatagatune", split), remarks, tags=tags, others=others)
    _compare_with_real(listing, len(rows))
    if (root / CLIP_INFO_FILE).exists():
        listing.groups, unknown = read_groups_of_clips(root / CLIP_INFO_FILE, clips)
        if unknown:
            remarks.append(
                f"{CLIP_INFO_FILE} has no artist or song of {len(unknown)} clips: {name_some(unknown)}"
            )
    return listing


def _compare_with_real(listing: Listing, clips: int) -> None:
    split = listing.dataset.split
    listed = {name: listing.count_splits().get(name, 0) for name in SPLIT_FOLDERS}
    if clips != REAL_CLIPS:
        listing.dataset = DatasetName(_own_name(listing.root), f"{split} (own table)")
        listing.split_counts = listed
        listing.remarks.append(
            f"{ANNOTATIONS_FILE} has {clips} clips, not the {REAL_CLIPS} of MagnaTagATune: another data set"
        )
        return
    listing.split_counts = REAL_COUNTS[split]
    if listed != REAL_COUNTS[split]:
        listing.remarks.append(
            f"WARNING: {ANNOTATIONS_FILE} is not the published one: by it the {split} split has {listed}; "
            f"it should have {REAL_COUNTS[split]}"
        )


def _own_name(root: Path) -> str:
    """For reports, of a data set that only has MagnaTagATune's layout."""
    if (root.parent / "demo.json").is_file():
        return "demo corpus (made-up music)"
    return f"{printable(root.resolve().name)} (in MagnaTagATune's layout)"


def _is_among(clips: dict[str, str], row: dict[str, str], track: str) -> bool:
    return row[ID_COLUMN] in clips and track.startswith(clips[row[ID_COLUMN]])


def _source(path: Path, file: str | None, row: dict[str, str], tags: list[str]) -> Source:
    """Of a row of the table `path`, whose file is there or not (None)."""
    track = file or relative_to_root(row[PATH_COLUMN], roots_of(path.parent))
    folder = track.split("/")[0]
    if folder not in FOLDER_SPLITS:
        raise StoreError(
            f"{path}: {ID_COLUMN} {row[ID_COLUMN]}: '{printable(row[PATH_COLUMN])}' is in none of the "
            "folders 0 ... f, which decide the split"
        )
    labels = tuple(tag for tag in tags if row[tag] == "1")
    return Source(track, path.parent / track, FOLDER_SPLITS[folder], labels)
