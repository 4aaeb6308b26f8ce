"""Reads lists of tracks, a line each, as GTZAN, SHS100K and Covers80 come with: a file for each split."""

from collections.abc import Callable, Mapping
from pathlib import Path

from s3prl_pemr.report.printable import printable
from s3prl_pemr.store.index import StoreError


def read_list(path: Path, parse: Callable[[str], str]) -> list[str]:
    """The tracks that a list names, in its order. Empty lines are skipped.

    Args:
        path: the list.
        parse: makes a line the name of a track; ValueError, saying what a line should be, where it is none.

    Raises:
        StoreError: the list cannot be read, is empty, has a malformed line, or names a track twice.
    """
    try:
        lines = path.read_bytes().decode("utf-8-sig", "surrogateescape").split("\n")
    except OSError as error:
        raise StoreError(f"{path}: the list cannot be read ({error.strerror})") from error
    found: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            track = parse(line.rstrip("\r"))
        except ValueError as error:
            raise StoreError(f"{path}: line {number} is {printable(line)!r}; {error}") from error
        if track in found:
            raise StoreError(f"{path}: line {number} lists {printable(track)}, as line {found[track]} does")
        found[track] = number
    if not found:
        raise StoreError(f"{path}: the list is empty")
    return list(found)


def read_disjoint_lists(paths: Mapping[str, Path], parse: Callable[[str], str]) -> dict[str, str]:
    """The split of each track, in the order of the lists; `paths` has the list of each split.

    Raises:
        StoreError: as `read_list`, or a track is in two lists.
    """
    found: dict[str, str] = {}
    for split, path in paths.items():
        tracks = read_list(path, parse)
        twice = next((track for track in tracks if track in found), None)
        if twice is not None:
            raise StoreError(f"{path}: lists {printable(twice)}, and so does {paths[found[twice]]}")
        found.update(dict.fromkeys(tracks, split))
    return found
