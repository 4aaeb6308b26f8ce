"""Which track a path in somebody's list means, where the list spells it in another way.

macOS hands out names in decomposed Unicode (NFD) that were typed in composed form (NFC); Windows writes
backslashes; programs write absolute paths. None of that is guessed: a spelling counts where one track has it.
"""

import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from s3prl_pemr.report.printable import printable

from .index import StoreError

ABSOLUTE = re.compile(r"/|[A-Za-z]:/")


@dataclass
class Matches:
    """What a list's paths are among the tracks.

    Attributes:
        tracks: the track of each path that has one.
        respelt: those of them that are spelt otherwise.
        missing: the paths without a track.
    """

    tracks: dict[str, str] = field(default_factory=dict)
    respelt: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def remark(self, where: Path) -> list[str]:
        """A line on what was matched in another spelling, if anything was."""
        if not self.respelt:
            return []
        return [
            f"{len(self.respelt)} of {len(self.tracks)} paths of {where} that were found are spelt otherwise "
            f"than the files (Unicode form, backslashes or absolute), the first: {printable(self.respelt[0])}"
        ]


def match_tracks(
    where: Path, paths: Iterable[str], tracks: Collection[str], roots: Sequence[str] = ()
) -> Matches:
    """The track of each path: the one of that very name, else the one that it is another spelling of.

    Args:
        where: the list that has the paths, for errors.
        paths: as they are written there.
        tracks: paths relative to a folder, with `/`.
        roots: absolute paths of that folder, below which an absolute path is taken (`roots_of`).

    Raises:
        StoreError: a path can be several tracks, or several paths are one track.
    """
    composed: dict[str, list[str]] = {}
    for track in tracks:
        composed.setdefault(_compose(track), []).append(track)
    exact, found = set(tracks), Matches()
    owners: dict = {}
    for path in paths:
        candidates = [path] if path in exact else _candidates(path, composed, roots)
        if len(candidates) > 1:
            raise StoreError(
                f"{where}: {printable(path)} can be {len(candidates)} files that differ in their Unicode "
                "form or folder; write it as the file system does"
            )
        if not candidates:
            found.missing.append(path)
            continue
        (track,) = candidates
        if track in owners:
            raise StoreError(
                f"{where}: {printable(owners[track])} and {printable(path)} are one file in two spellings; "
                "leave one out"
            )
        owners[track] = path
        found.tracks[path] = track
        if path != track:
            found.respelt.append(path)
    return found


def roots_of(folder: Path) -> list[str]:
    """A folder's absolute paths: as it was named, and with its links followed."""
    return list(dict.fromkeys(path.as_posix() for path in (folder.absolute(), folder.resolve())))


def likely_roots(paths: Iterable[str], tracks: Collection[str]) -> list[str]:
    """The folder that absolute paths lie below, where nobody says so: below it, most of them are tracks.

    Returns: none, one, or several that are equally likely.
    """
    composed = set(map(_compose, tracks))
    votes: Counter = Counter()
    for path in map(_slashes, paths):
        if ABSOLUTE.match(path):
            cuts = (cut.start() for cut in re.finditer("/", path))
            votes.update(path[:cut] or "/" for cut in cuts if _compose(path[cut + 1 :]) in composed)
    most = max(votes.values(), default=0)
    return [root for root, count in votes.items() if count == most]


def relative_to_root(path: str, roots: Sequence[str]) -> str:
    """A path with `/`, without `./` at its beginning, and relative to a root that it lies below."""
    path = str(PurePosixPath(path)) if "/" in path else _slashes(path)  # a name may hold a backslash
    for root in roots:
        start = _compose(root.rstrip("/") + "/")
        if _compose(path).startswith(start):
            return _compose(path).removeprefix(start)
    return path


def _candidates(path: str, composed: dict[str, list[str]], roots: Sequence[str]) -> list[str]:
    found = dict.fromkeys(
        track for spelling in _spellings(path, roots) for track in composed.get(_compose(spelling), ())
    )
    return list(found)


def _spellings(path: str, roots: Sequence[str]) -> Iterator[str]:
    yield posixpath.normpath(path)  # a backslash may stand in a name
    yield _slashes(path)
    yield from (relative_to_root(_slashes(path), [root]) for root in roots)


def _slashes(path: str) -> str:
    return str(PurePosixPath(path.replace("\\", "/")))


def _compose(path: str) -> str:
    return unicodedata.normalize("NFC", path)
