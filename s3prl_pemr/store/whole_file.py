"""Small files beside a store: written whole or not at all, and left alone where they say the same."""

from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write the file at one stroke; untouched where it has that content already. Raises OSError."""
    if path.exists() and path.read_bytes() == content:
        return
    unfinished = path.with_name(f"{path.name}.tmp")
    unfinished.write_bytes(content)
    unfinished.replace(path)
