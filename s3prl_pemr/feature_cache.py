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
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import xxhash
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

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


class CachedUpstream(nn.Module):
    """Stands in for a frozen upstream and gives its features from the files, or computes and keeps them.

    A clip that is not there yet is computed alone: its features are then those of no particular batch (some
    of the toolkit's upstreams, `mel` for one, let a shorter clip see the padding behind it).
    """

    def __init__(self, upstream: nn.Module, files: FeatureFiles, selection: str, pool: Callable | None):
        """Put the cache before an upstream.

        Args:
            upstream: frozen, in eval mode.
            files: where features are kept.
            selection: their key in the upstream's output (-s).
            pool: makes of a clip's (T, D) what is kept; None keeps all.
        """
        super().__init__()
        self.upstream, self.files, self.selection, self.pool = upstream, files, selection, pool
        self.hits = self.misses = 0

    def forward(self, wavs: list[Tensor]) -> dict[str, Tensor | list[Tensor]]:
        """1-D waveforms -> {selection: one (B, T, D) or a list of them}, zero behind the shorter clips."""
        clips = [self._layers(wav) for wav in wavs]
        padded = [pad_sequence(list(layer), batch_first=True) for layer in zip(*clips, strict=True)]
        return {self.selection: padded if len(padded) > 1 else padded[0]}

    def _layers(self, wav: Tensor) -> list[Tensor]:
        key = xxhash.xxh3_128_hexdigest(wav.cpu().contiguous().numpy())
        layers = self.files.read(key)
        if layers is None:
            self.misses += 1
            layers = [layer.float().cpu().numpy() for layer in self._compute(wav)]
            self.files.write(key, layers)
        else:
            self.hits += 1
        return [torch.from_numpy(layer).to(wav.device) for layer in layers]

    def _compute(self, wav: Tensor) -> list[Tensor]:
        features = self.upstream([wav])[self.selection]
        if isinstance(features, dict):
            features = list(features.values())
        layers = [layer[0] for layer in (features if isinstance(features, list | tuple) else [features])]
        return [self.pool(layer, len(wav)) for layer in layers] if self.pool else layers


def mean_of_own_frames(downsample_rate: int) -> Callable[[Tensor, int], Tensor]:
    """The time mean that a mean-pooling task would take: of the frames that the Featurizer leaves a clip.

    s3prl/upstream/interfaces.py:252 keeps round(samples / rate) of them; the sum over layers and the mean
    over frames are both linear, so their order does not matter.

    Returns: (T, D), samples -> (1, D).
    """

    def pool(layer: Tensor, samples: int) -> Tensor:
        frames = max(1, round(samples / downsample_rate))
        return layer[:frames].mean(dim=0, keepdim=True)

    return pool


def file_identity(path: str | None) -> str | None:
    """SHA-256 of a file's content; of names, sizes and times in a folder; anything else (a URL) as it is."""
    if path is None or not Path(path).exists():
        return path
    if Path(path).is_file():
        digest = hashlib.sha256()
        with Path(path).open("rb") as file:
            while part := file.read(1 << 24):
                digest.update(part)
        return digest.hexdigest()
    stats = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in sorted(Path(path).rglob("*"))]
    return hashlib.sha256(repr(stats).encode()).hexdigest()
