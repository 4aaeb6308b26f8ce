"""What tells one model file from another, and one model's weights."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import xxhash
from torch import Tensor, nn

# Noise, drawn anew each time, from which s3prl/upstream/baseline/preprocessor.py:111 learns its dimensions.
NOISE = "_pseudo_wavs"


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


def weights_identity(model: nn.Module) -> str:
    """Over name, type, shape and bytes of all that the model holds: 128 bits of xxhash, in hexadecimal.

    That is its state dict in its order, then the buffers that it does not save; not NOISE.
    """
    digest = xxhash.xxh3_128()
    for name, value in _held(model):
        if name.rpartition(".")[2] == NOISE:
            continue
        if isinstance(value, Tensor):
            digest.update(f"{name}\n{value.dtype}\n{tuple(value.shape)}\n".encode())
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        else:  # a module's get_extra_state may be anything
            content = pickle.dumps(value)
            digest.update(f"{name}\n{len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def _held(model: nn.Module) -> Iterator[tuple[str, Any]]:
    saved = model.state_dict()
    yield from saved.items()
    yield from ((name, buffer) for name, buffer in model.named_buffers() if name not in saved)
