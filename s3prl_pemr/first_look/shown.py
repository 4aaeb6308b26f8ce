"""Results as soon as they are there: on the screen, and kept."""

from __future__ import annotations

from pathlib import Path

from s3prl_pemr.safety.whole_file import write_whole


def show(path: Path, text: str) -> None:
    """Print a table or a caption, and write it to `path`."""
    write_whole(path, text.encode())
    print(f"\n{text}\nkept in {path}", flush=True)
