"""The same from Python: `s3prl_pemr.embed(["a.mp3", "b.flac"])`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from s3prl_pemr.audio import read_audio

from .embedder import Embedded, Embedder, Wanted


def embed_files(
    files: Iterable[str | Path], upstream: str, checkpoint: str | None, device: str | None, **more: Any
) -> list[Embedded]:
    """See s3prl_pemr/__init__.py: embed."""
    embedder = Embedder(Wanted(upstream, checkpoint, **more), device)
    return [embedder.embed([read_audio(file)])[0] for file in files]
