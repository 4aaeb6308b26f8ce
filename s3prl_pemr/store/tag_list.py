"""The order of a data set's tags, beside its store: tags.txt, one tag a line, UTF-8."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from s3prl_pemr.safety.whole_file import write_whole

TAGS_FILE = "tags.txt"


def read_tags(store: Path) -> list[str]:
    """The tags in their order; empty where the store has no tags.txt.

    Raises: ValueError (one line) if a tag is listed twice.
    """
    path = store / TAGS_FILE
    if not path.exists():
        return []
    names = [line for line in path.read_text(encoding="utf-8").split("\n") if line]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{path}: lists {', '.join(map(repr, twice))} more than once")
    return names


def write_tags(store: Path, names: Sequence[str]) -> None:
    """Written whole or not at all; untouched where it says the same."""
    write_whole(store / TAGS_FILE, "".join(f"{name}\n" for name in names).encode())
