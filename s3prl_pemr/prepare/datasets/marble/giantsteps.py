"""`prepare giantsteps`: keys of dance music; GiantSteps MTG key to train on, GiantSteps key to test."""

import argparse
from pathlib import Path

from s3prl_pemr.prepare.build import BuildOptions, add_build_arguments, build_store
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.prepare.walk import walk
from s3prl_pemr.store.dataset_name import DatasetName
from s3prl_pemr.store.groups import Group
from s3prl_pemr.store.index import StoreError

from .giantsteps_tables import KEYS, Annotated, read_test_keys, read_training_keys

HELP = "GiantSteps key and MTG key: 24 keys"
EXAMPLE = "s3prl-pemr prepare giantsteps GIANTSTEPS STORE"
TEST, TRAINING = "giantsteps-key-dataset", "giantsteps-mtg-key-dataset"
SUFFIXES = (".mp3", ".wav", ".flac")
# jukemir/datasets/test.py
REAL_COUNTS = {"train": 923, "valid": 236, "test": 604}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_build_arguments(
        parser, f"the folder that holds clones of {TEST} and {TRAINING}; audio in theirs or in SRC/audio"
    )


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    return build_store(list_giantsteps(args.source), args.destination, BuildOptions.of(args))


def list_giantsteps(root: Path) -> Listing:
    """The tracks by their numbers, each labelled with its key as mir_eval spells it (`Eb minor`).

    Test is GiantSteps key; train and valid are GiantSteps MTG key, split by artist, without the tracks whose
    key is uncertain or changes (Korzeniowski and Widmer 2018; Castellon et al. 2021).

    Raises:
        StoreError: a repository is missing, its tables are malformed, or a track is in both.
    """
    test, training = (_repository(root, name) for name in (TEST, TRAINING))
    annotated, left_out = read_training_keys(training)
    tests = read_test_keys(test)
    both = sorted({track.number for track in annotated} & {track.number for track in tests})
    if both:
        raise StoreError(f"{root}: {len(both)} tracks are in both data sets: {name_some(both)}")
    sources, groups = [], {}
    for repository, tracks in ((training, annotated), (test, tests)):
        for track in tracks:
            sources.append(_source(root, repository, track))
            groups[track.number] = Group(track.artist, track.number)
    tree = walk(root)
    remarks = tree.remarks()
    if left_out:
        remarks.append(
            f"{len(left_out)} tracks of {TRAINING} are left out, their keys uncertain or several: "
            f"{name_some(left_out)}"
        )
    others = tree.unused_audio(source.path for source in sources)
    dataset = DatasetName("giantsteps_key", "marble")
    listing = Listing(root, sources, dataset, remarks, tags=KEYS, groups=groups, others=others)
    listing.split_counts = listing.count_splits()
    if listing.split_counts != REAL_COUNTS:
        remarks.append(f"the tables give {listing.split_counts}; those of the data sets: {REAL_COUNTS}")
    return listing


def _repository(root: Path, name: str) -> Path:
    """A clone, or a download of a commit, `NAME-COMMIT`."""
    found = sorted(path for path in root.glob(f"{name}*") if (path / "annotations").is_dir())
    if len(found) != 1:
        seen = f"{len(found)} of them: {', '.join(path.name for path in found)}" if found else "none"
        raise StoreError(f"{root}: needs one folder {name} with annotations in it; there is {seen}")
    return found[0]


def _source(root: Path, repository: Path, track: Annotated) -> Source:
    places = [
        folder / f"{track.number}.LOFI{suffix}"
        for folder in (repository / "audio", root / "audio")
        for suffix in SUFFIXES
    ]
    path = next((place for place in places if place.is_file()), places[0])
    return Source(track.number, path, track.split, (track.key,))
