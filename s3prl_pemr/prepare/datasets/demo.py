"""`prepare demo`: music that the project composes and plays itself, in the real data sets' layouts."""

import argparse
import importlib.metadata
import json
import shutil
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from s3prl_pemr.demo.music.recording import Recording, record, write_text
from s3prl_pemr.demo.plan import COMPOSER_VERSION, Plan, plan_corpus
from s3prl_pemr.prepare.build import LOCK_FILE, add_jobs_argument, seed
from s3prl_pemr.prepare.workers import Workers
from s3prl_pemr.report.printable import visible
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.interruption import Interruption
from s3prl_pemr.safety.sole_writer import sole_writer
from s3prl_pemr.store.index import StoreError

HELP = "a corpus composed on the spot: tagging (--full: genre and cover song) data without a download"
EXAMPLE = "s3prl-pemr prepare demo CORPUS"
STATE_FILE = "demo.json"
HELD_OUT = "held_out"
EXTRA_PACKAGES = ("symusic", "pretty_midi")
PACKAGES = (*EXTRA_PACKAGES, "numpy", "soundfile")  # whose versions the bytes depend on
SPARE_BYTES = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "destination", metavar="DST", type=Path, help="the corpus; the same command again goes on"
    )
    parser.add_argument("--seed", type=seed, default=0, help="another seed, other music (default: 0)")
    parser.add_argument(
        "--full", action="store_true", help="genre and cover song data too: 1,128 files, 14 hours, 390 MB"
    )
    parser.add_argument(
        "--held-out", action="store_true",
        help="music tagging alone, whose test clips are of styles and sounds that no other clip has",
    )  # fmt: skip
    add_jobs_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises StoreError and OSError."""
    missing = [name for name in EXTRA_PACKAGES if find_spec(name) is None]
    if missing:
        raise StoreError(
            f"the demo corpus needs {' and '.join(missing)}, not installed here: "
            "pip install 's3prl-pemr[demo]'"
        )
    if args.full and args.held_out:
        raise StoreError("--held-out is of music tagging alone, --full of all parts: give one of them")
    _check_ours(args.destination)
    with sole_writer(args.destination, LOCK_FILE, "choose another DST"), Interruption() as stop:
        _claim(args.destination, args.seed, args.held_out)
        return make_corpus(
            plan_corpus(args.seed, args.full, args.held_out), args.destination, args.jobs, stop
        )


def make_corpus(plan: Plan, destination: Path, jobs: int, stop: Interruption) -> int:
    """Render what is not there yet, then write the tables: without them no reader takes the corpus for whole.

    Returns: exit status: 0, or 130 or 143 if a signal stopped it. The files do not depend on `jobs`.

    Raises:
        StoreError: the disk is too small, or a worker process died.
        OSError: a file cannot be written.
    """
    todo = [recording for recording in plan.recordings if not recording.is_there(destination)]
    done = len(plan.recordings) - len(todo)
    print(visible(f"{destination}: {len(plan.recordings)} recordings, {done} there, {len(todo)} to do"))
    _check_space(destination, todo)
    if todo:
        done += _render(todo, destination, jobs, stop)
    if stop.signal_number():
        print(
            f"interrupted: {done} of {len(plan.recordings)} recordings are done; run the same command "
            "again to go on",
            file=sys.stderr,
        )
        return stop.exit_status()
    for path, text in plan.tables.items():
        write_text(destination / path, text)
    clips = [clip for recording in plan.recordings for clip in recording.clips]
    hours = sum(clip.end_seconds - clip.start_seconds for clip in clips) / 3600
    folders = sorted({Path(clip.path).parts[0] for clip in clips})
    line = f"{destination}: {len(clips)} audio files, {hours:.1f} hours, in {', '.join(folders)}"
    print(visible(line))
    return 0


def _render(todo: list[Recording], destination: Path, jobs: int, stop: Interruption) -> int:
    """Returns how many recordings were made before a signal came."""
    done = 0
    with Workers(min(jobs, len(todo))) as workers:
        results = workers.in_order(partial(record, root=destination), todo)
        for _ in Progress(results, "demo", len(todo), unit=" recordings"):
            done += 1
            if stop.signal_number():
                break
    return done


def _state(seed: int, held_out: bool) -> dict:
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"seed": seed, HELD_OUT: held_out, "composer": COMPOSER_VERSION, "versions": versions}


def _check_ours(destination: Path) -> None:
    """Refuse a folder of something else before anything is written into it."""
    if destination.is_dir() and not (destination / STATE_FILE).exists():
        others = [path.name for path in destination.iterdir() if path.name not in (LOCK_FILE, _PARTIAL_STATE)]
        if others:
            raise StoreError(
                f"{destination}: holds {min(others)} and is no demo corpus; choose an empty or new folder"
            )


_PARTIAL_STATE = f".{STATE_FILE}.part"


def _claim(destination: Path, seed: int, held_out: bool) -> None:
    """Write down what the folder is made with, or refuse one that was made with something else."""
    path, ours = destination / STATE_FILE, _state(seed, held_out)
    if not path.exists():
        write_text(path, json.dumps(ours, indent=2) + "\n")
        return
    try:
        theirs = {HELD_OUT: False, **json.loads(path.read_text(encoding="utf-8"))}  # 0.1 has no such key
        theirs_flat, ours_flat = ({**state, **state["versions"]} for state in (theirs, ours))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: damaged; delete {destination}, or choose another DST") from error
    names = [name for name in ours_flat if name != "versions" and theirs_flat.get(name) != ours_flat[name]]
    if names:
        differences = ", ".join(f"{name} {theirs_flat.get(name)}, now {ours_flat[name]}" for name in names)
        raise StoreError(
            f"{destination}: was made with {differences}; choose another DST, or delete it to start over"
        )


def _check_space(destination: Path, todo: list[Recording]) -> None:
    needed_bytes = sum(recording.size_bytes() for recording in todo) + SPARE_BYTES
    free_bytes = shutil.disk_usage(destination).free
    if needed_bytes > free_bytes:
        raise StoreError(
            f"{destination}: the corpus needs up to {needed_bytes / 1e6:.0f} MB more and "
            f"{free_bytes / 1e6:.0f} MB are free; make room or choose another DST"
        )
