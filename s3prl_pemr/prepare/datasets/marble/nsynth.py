"""`prepare nsynth`: notes of four seconds, for the family of the instrument or for the pitch."""

import argparse
import json
from pathlib import Path
from typing import Any

from s3prl_pemr.prepare.build import BuildOptions, add_build_arguments, build_store
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.report.printable import printable
from s3prl_pemr.store.dataset_name import DatasetName
from s3prl_pemr.store.groups import Group
from s3prl_pemr.store.index import StoreError

HELP = "NSynth: instrument families or pitches of notes"
EXAMPLE = "s3prl-pemr prepare nsynth NSYNTH STORE --task pitch"
EXAMPLES_FILE = "examples.json"
# By magenta.tensorflow.org/datasets/nsynth
REAL_COUNTS = {"train": 289_205, "valid": 12_678, "test": 4_096}
FAMILIES = (
    *("bass", "brass", "flute", "guitar", "keyboard", "mallet", "organ", "reed", "string", "synth_lead"),
    "vocal",
)
PITCHES = tuple(str(pitch) for pitch in range(128))  # of MIDI; MARBLE's head has 128 outputs, too
TAGS = {"instrument": FAMILIES, "pitch": PITCHES}
COLUMNS = {"instrument": "instrument_family_str", "pitch": "pitch"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    folders = ", ".join(f"nsynth-{split}" for split in REAL_COUNTS)
    add_build_arguments(parser, f"the folder that holds {folders}, each with {EXAMPLES_FILE} and audio")
    parser.add_argument(
        "--task",
        choices=sorted(TAGS),
        default="instrument",
        help=f"instrument (default): one of {len(FAMILIES)} families; pitch: a MIDI number, 0 to 127",
    )


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    return build_store(list_nsynth(args.source, args.task), args.destination, BuildOptions.of(args))


def list_nsynth(root: Path, task: str = "instrument") -> Listing:
    """The notes of all three splits by name; notes of one instrument are one song, for intervals.

    Args:
        root: holds nsynth-train, nsynth-valid and nsynth-test.
        task: what notes are labelled with, instrument or pitch.

    Raises:
        StoreError: an examples.json is missing, malformed, or has a label that is not of the task.
    """
    sources, groups = [], {}
    for split in REAL_COUNTS:
        folder = root / f"nsynth-{split}"
        for note, entry in sorted(_notes(folder / EXAMPLES_FILE).items()):
            label, instrument = _described(folder / EXAMPLES_FILE, note, entry, task)
            if note in groups:
                raise StoreError(f"{folder / EXAMPLES_FILE}: {printable(note)} is in another split too")
            sources.append(Source(note, folder / "audio" / f"{note}.wav", split, (label,)))
            groups[note] = Group("", instrument)
    listing = Listing(root, sources, DatasetName("nsynth", task), tags=TAGS[task], groups=groups)
    listing.split_counts = listing.count_splits()
    if listing.split_counts != REAL_COUNTS:
        listing.remarks.append(
            f"{EXAMPLES_FILE} lists {listing.split_counts}; of the published ones: {REAL_COUNTS}"
        )
    return listing


def _notes(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise StoreError(f"{path}: not JSON ({error})") from error
    if not isinstance(found, dict) or not found:
        raise StoreError(f"{path}: should be the notes by their names")
    return found


def _described(path: Path, note: str, entry: Any, task: str) -> tuple[str, str]:
    try:
        label, instrument = str(entry[COLUMNS[task]]), str(entry["instrument_str"])
    except (KeyError, TypeError) as error:
        raise StoreError(f"{path}: {printable(note)} has no {COLUMNS[task]} or no instrument_str") from error
    if label not in TAGS[task]:
        raise StoreError(
            f"{path}: {printable(note)}: {COLUMNS[task]} {printable(label)!r} is no {task} of NSynth"
        )
    return label, instrument
