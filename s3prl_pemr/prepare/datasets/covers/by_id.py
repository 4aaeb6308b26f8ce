"""What `prepare discogs-vi` and `prepare da-tacos` share: works whose audio is found by ids, and stored."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from s3prl_pemr.prepare.build import BuildOptions, build_store
from s3prl_pemr.prepare.source import Listing, Source
from s3prl_pemr.prepare.summary import name_some, others_seen
from s3prl_pemr.prepare.walk import walk
from s3prl_pemr.store.dataset_name import DatasetName
from s3prl_pemr.store.index import StoreError

from .alignment import LEFT_OUT_FILE, Alignment, Version, align
from .audio_by_id import audio_by_id

AUDIO_FOLDER = "audio"


def add_audio_arguments(parser: argparse.ArgumentParser, named: str, lone: str) -> None:
    """`--audio` and `--lone`; `named` says how files are named, `lone` is the default."""
    parser.add_argument(
        "--audio",
        type=Path,
        metavar="FOLDER",
        help=f"holds {named}, at any depth (default: SRC/{AUDIO_FOLDER})",
    )
    parser.add_argument(
        "--lone",
        choices=["drop", "keep"],
        default=lone,
        help="works of which a single version is found, though more are listed: leave them out, or keep them "
        f"as tracks that are ranked and are no queries (default: {lone})",
    )


def list_by_id(
    name: str,
    split: str,
    listed: Sequence[Version],
    audio: Path,
    keep_lone: bool,
    id_of: Callable[[Path], str],
) -> tuple[Listing, Alignment]:
    """The versions that have a file, labelled with their works.

    A track has its version's id as its name; where several works list it, all but the first ID@WORK.

    Args:
        name, split: of the data set, for reports.
        listed: every version of it.
        audio: folder of the audio, searched at any depth.
        keep_lone: as `align` has it.
        id_of: the id that a path names.

    Raises:
        StoreError: there is no audio folder, or nothing in it is named by a listed id.
    """
    if not audio.is_dir():
        raise StoreError(f"{audio}: not a folder; say where the audio lies with --audio FOLDER")
    tree = walk(audio)
    remarks = tree.remarks()
    files = audio_by_id(tree, remarks, id_of)
    ids = {version.id for version in listed}
    others = [shown for shown, path in tree.named_audio().items() if id_of(path) not in ids]
    if not ids & files.keys():
        raise StoreError(
            f"{audio}: none of the {len(ids)} listed tracks is there, by an id as a name; "
            f"{others_seen(others)}"
        )
    if others:
        remarks.append(f"left out, no id of the lists: {others_seen(others)}")
    aligned = align(listed, files.keys(), keep_lone)
    names = _track_names(listed)
    several = [version.id for version, track in names.items() if track != version.id]
    if several:
        remarks.append(
            f"{len(several)} ids are listed in more than one work and stored for each, as ID@WORK: "
            f"{name_some(several)}"
        )
    sources = [
        Source(names[version], files[version.id], version.split, (version.work,)) for version in aligned.kept
    ]
    chosen = f"{split}, {len(aligned.kept)} of {len(listed)} versions found"
    listing = Listing(audio, sources, DatasetName(name, chosen), remarks + aligned.lines(), others=others)
    listing.split_counts = dict(Counter(version.split for version in listed))
    return listing, aligned


def store_by_id(listing: Listing, aligned: Alignment, args: argparse.Namespace) -> int:
    """Store them, and write down what is left out. Returns the exit status; raises StoreError and OSError."""
    listing.remarks.append(f"what is left out, and why: {args.destination / LEFT_OUT_FILE}")
    status = build_store(listing, args.destination, BuildOptions.of(args))
    if status == 0:
        aligned.write(args.destination)
    return status


def read_works(path: Path, versions_of: Callable[[Any], list[str]]) -> dict[str, list[str]]:
    """The ids of each work's versions, from a JSON object by works.

    Args:
        path: the file.
        versions_of: the ids of a work's entry; raises KeyError, TypeError or AttributeError for another form.

    Raises:
        StoreError: it cannot be read, has another form, or lists an id twice for a work.
    """
    try:
        works = json.loads(path.read_bytes())
        found = {work: versions_of(entry) for work, entry in works.items()}
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(f"{path}: damaged, or not the file of this name ({error})") from error
    for work, ids in found.items():
        wrong = [name for name in (work, *ids) if not isinstance(name, str) or not name or _unnameable(name)]
        if wrong:
            raise StoreError(f"{path}: {wrong[0]!r} is no id")
        if len(set(ids)) < len(ids):
            raise StoreError(f"{path}: lists {Counter(ids).most_common(1)[0][0]} twice for the work {work}")
    if not any(found.values()):
        raise StoreError(f"{path}: lists nothing")
    return found


def _unnameable(name: str) -> bool:
    return not name.isprintable() or "/" in name


def _track_names(listed: Sequence[Version]) -> dict[Version, str]:
    names: dict[Version, str] = {}
    taken: set[str] = set()
    for version in listed:
        names[version] = f"{version.id}@{version.work}" if version.id in taken else version.id
        taken.add(version.id)
    return names
