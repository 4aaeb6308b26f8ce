"""Features of a frozen upstream, computed once per clip and kept on disk. B: clips, T: frames, D: width.

The toolkit's loop computes the same features in every epoch (s3prl/downstream/runner.py:300): nine tenths of
its time. A clip is known by its samples, a folder of the cache by everything else that decides its features.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
from pathlib import Path

import numpy as np

from s3prl_pemr.safety.whole_file import (
    PARTIAL,
    remove_leftovers,
    remove_partials,
    whole_file,
    write_whole,
)

logger = logging.getLogger(__name__)
GIGABYTE = 10**9
# 0.1.0 held no locks. No clip takes so long to write: what is half-written since then is of a killed run.
STALE_SECONDS = 3600


def folder_of(folder: Path, identity: dict) -> Path:
    """Where in a cache the features are that this decides."""
    return folder / hashlib.sha256(_text_of(identity)).hexdigest()[:16]


def _text_of(identity: dict) -> bytes:
    return json.dumps(identity, sort_keys=True, indent=1).encode()


class FeatureFiles:
    """One .npz per clip below a folder, written whole: nobody ever reads half a file.

    What cannot be written is no reason to end a run: the cache says so in one line and adds nothing more.
    """

    def __init__(self, folder: Path, identity: dict, max_gigabytes: float):
        """Open or make the folder.

        Args:
            folder: of the whole cache; the bound is on all of it.
            identity: what decides the features, besides the clip; its hash names a sub-folder.
            max_gigabytes: bound on the size; beyond it nothing is added. Of several processes that share the
                folder each counts what it adds, and what others have half-written.
        """
        self.folder = folder_of(folder, identity)
        self.max_bytes = max_gigabytes * GIGABYTE
        self._warned = False
        remove_partials(folder)
        for place in (path for path in folder.rglob("*") if path.is_dir()):
            remove_leftovers(place, STALE_SECONDS)
        files = (path for name in ("*.npz", f"*{PARTIAL}") for path in folder.rglob(name))
        self.bytes = sum(map(_size_bytes, files))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / "identity.json", _text_of(identity))
        except OSError as error:
            self._cannot_write(error)

    def read(self, key: str) -> list[np.ndarray] | None:
        """The clip's layers, None where it is not there or cannot be read."""
        try:
            with np.load(self._path(key), allow_pickle=False) as file:
                return [file[name] for name in file.files]
        except (OSError, zipfile.BadZipFile, ValueError, EOFError):
            return None

    def write(self, key: str, layers: list[np.ndarray]) -> None:
        """Keep a clip's layers, unless the cache or the disk is full: that is said once, in one line."""
        size = sum(layer.nbytes for layer in layers)
        if self.bytes + size > self.max_bytes:
            self._warn(
                f"is full ({self.bytes / GIGABYTE:.1f} GB)",
                "raise --feature_cache_gb or remove folders of runs that are done",
            )
            return
        path = self._path(key)
        try:
            path.parent.mkdir(exist_ok=True)
            with whole_file(path) as file:
                np.savez(file, *layers)
        except OSError as error:
            self._cannot_write(error)
            return
        self.bytes += size

    def _cannot_write(self, error: OSError) -> None:
        self._warn(
            f"cannot be written ({error.strerror or error})", "make room there or choose another folder"
        )
        self.max_bytes = -1

    def _warn(self, why: str, remedy: str) -> None:
        if not self._warned:
            logger.warning(
                "feature cache %s %s: further clips are computed each time; %s",
                self.folder.parent, why, remedy,
            )  # fmt: skip
        self._warned = True

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npz"


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another run has given it its name, or removed it
        return 0
