"""Features of a frozen upstream, computed once per clip and kept on disk. B: clips, T: frames, D: width.

The toolkit's loop computes the same features in every epoch (s3prl/downstream/runner.py:300): nine tenths of
its time. A clip is known by its samples, a folder of the cache by everything else that decides its features.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
import zipfile
from pathlib import Path

import numpy as np

logger = logging.getLogger(__name__)
GIGABYTE = 10**9


class FeatureFiles:
    """One .npz per clip below a folder; written beside and renamed: nobody ever reads half a file."""

    def __init__(self, folder: Path, identity: dict, max_gigabytes: float):
        """Open or make the folder.

        Args:
            folder: of the whole cache; the bound is on all of it.
            identity: what decides the features, besides the clip; its hash names a sub-folder.
            max_gigabytes: bound on the size; beyond it nothing is added. Of several processes that share the
                folder each counts what it adds.
        """
        text = json.dumps(identity, sort_keys=True, indent=1)
        self.folder = folder / hashlib.sha256(text.encode()).hexdigest()[:16]
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "identity.json").write_text(text)
        self.max_bytes = max_gigabytes * GIGABYTE
        self.bytes = sum(file.stat().st_size for file in folder.rglob("*.npz"))
        self._full = False

    def read(self, key: str) -> list[np.ndarray] | None:
        """The clip's layers, None where it is not there or cannot be read."""
        try:
            with np.load(self._path(key), allow_pickle=False) as file:
                return [file[name] for name in file.files]
        except (FileNotFoundError, zipfile.BadZipFile, ValueError, EOFError):
            return None

    def write(self, key: str, layers: list[np.ndarray]) -> None:
        """Keep a clip's layers, unless the cache is full: that is said once, in one line."""
        size = sum(layer.nbytes for layer in layers)
        if self.bytes + size > self.max_bytes:
            if not self._full:
                logger.warning(
                    "feature cache %s is full (%.1f GB): further clips are computed each time; raise "
                    "--feature_cache_gb or remove folders of runs that are done",
                    self.folder.parent, self.bytes / GIGABYTE,
                )  # fmt: skip
            self._full = True
            return
        path = self._path(key)
        path.parent.mkdir(exist_ok=True)
        partial = path.with_name(f"{uuid.uuid4().hex}.partial")
        with partial.open("wb") as file:
            np.savez(file, *layers)
        partial.replace(path)
        self.bytes += size

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npz"
