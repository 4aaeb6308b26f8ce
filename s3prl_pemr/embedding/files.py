"""One .npz a track, in a folder that mirrors the music's: what is kept, and what of it is still true."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from s3prl_pemr.safety.whole_file import whole_file
from s3prl_pemr.store.index import Stamp

from .embedder import Embedded

SUFFIX = ".npz"


def path_of(folder: Path, track: str) -> Path:
    """Where a track's vectors are: its own name with .npz behind it."""
    return folder / f"{track}{SUFFIX}"


def write_track(folder: Path, track: str, found: Embedded, stamp: Stamp, identity: dict[str, Any]) -> None:
    """Whole or not at all. Raises OSError."""
    path = path_of(folder, track)
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"source_bytes": stamp.source_bytes, "source_mtime_ns": stamp.source_mtime_ns, **identity}
    with whole_file(path) as file:
        np.savez(
            file, embedding=found.embedding, seconds=found.seconds, clip=found.clip,
            about=np.array(json.dumps(about)),
        )  # fmt: skip


def read_track(folder: Path, track: str) -> Embedded:
    """What `write_track` wrote. Raises ValueError (one line) for a damaged file."""
    path = path_of(folder, track)
    try:
        with np.load(path, allow_pickle=False) as file:
            return Embedded(file["embedding"], file["seconds"], file["clip"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: damaged; remove it and embed again") from error


def is_current(folder: Path, track: str, stamp: Stamp, identity: dict[str, Any]) -> bool:
    """Whether a track's vectors are there, of this file and by this upstream."""
    try:
        with np.load(path_of(folder, track), allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False
    return about == {
        "source_bytes": stamp.source_bytes, "source_mtime_ns": stamp.source_mtime_ns, **identity
    }  # fmt: skip
