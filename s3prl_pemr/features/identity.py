"""What tells one model file from another."""

from __future__ import annotations

import hashlib
from pathlib import Path


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
