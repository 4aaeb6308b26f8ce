"""Reads lists of tracks, a line each, as GTZAN, SHS100K and Covers80 come with: a file for each split."""

from collections.abc import Callable, Mapping
from pathlib import Path

from s3prl_pemr.store_index import StoreError, printable


def read_split_lists(paths: Mapping[str, Path], parse: Callable[[str], str]) -> dict[str, str]:
    """The split of each track that the lists name, in their order. Empty lines are skipped.

    Args:
        paths: the list of each split.
        parse: makes a line the name of a track; ValueError, saying what a line should be, where it is none.

    Raises:
        StoreError: a list cannot be read, is empty, has a malformed line, or names a track that it or
            another one has named before.
    """
    found: dict[str, str] = {}
    for split, path in paths.items():
        before = len(found)
        for number, line in enumerate(_lines(path), start=1):
            if not line.strip():
                continue
            try:
                track = parse(line.rstrip("\r"))
            except ValueError as error:
                raise StoreError(f"{path}: line {number} is {printable(line)!r}; {error}") from error
            if track in found:
                where = (
                    "a second time" if found[track] == split else f"again; {paths[found[track]]} has it too"
                )
                raise StoreError(f"{path}: line {number} lists {printable(track)} {where}")
            found[track] = split
        if len(found) == before:
            raise StoreError(f"{path}: the list is empty")
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_bytes().decode("utf-8-sig", "surrogateescape").split("\n")
    except OSError as error:
        raise StoreError(f"{path}: the list cannot be read ({error.strerror})") from error
