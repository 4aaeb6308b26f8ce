"""The demo's covers: renditions that the shipped network never heard, looked for in a small collection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from s3prl_pemr.comparison.stages import Stages
from s3prl_pemr.covers.identify import known_of
from s3prl_pemr.covers.index import read_index
from s3prl_pemr.covers.model import DEFAULT, open_model
from s3prl_pemr.covers.ranking import Match, false_alarm, rank
from s3prl_pemr.demo.covers import draw_covers
from s3prl_pemr.demo.music.recording import Recording, record
from s3prl_pemr.demo.names import slug, titles

SEED, WORKS, ASKED = 17, 30, 4  # the recipe's works have other seeds
SECONDS = 60
QUERIES, COLLECTION = "queries", "collection"
STAGES = 1


@dataclass(frozen=True)
class Found:
    """What a query led to."""

    query: str
    first: str
    match: Match
    chance: float

    @property
    def right(self) -> bool:
        """Whether the first is the same work: files are named TITLE-STYLE."""
        return self.query.rpartition("-")[0] == self.first.rpartition("-")[0]


def find(stages: Stages, folder: Path) -> list[Found]:
    """Render what is not there, embed the collection, and look for each query in it.

    A query is another rendition of a work of the collection: other style, key, tempo and instruments.
    """
    for name, recordings in _recordings().items():
        for recording in recordings:
            if not recording.is_there(folder / name):
                record(recording, folder / name)
    index = folder / "covers.index"
    command = ["-m", "s3prl_pemr", "covers", "embed", str(folder / COLLECTION), str(index)]
    stages.run("covers", command)
    known, model = read_index(index), open_model(DEFAULT)
    found = []
    for path in sorted((folder / QUERIES).glob("*.wav")):
        matches = rank(known_of(path, model), known, top=1)
        chance = false_alarm([match.score for match in matches])
        found.append(Found(path.stem, Path(known.vectors.name(matches[0].row)).stem, matches[0], chance))
    return found


def markdown(found: list[Found]) -> str:
    """A row for each query."""
    lines = ["| query | found first | | where | chance of a false alarm |", "|---|---|---|---|---|"]
    for one in found:
        right = "right" if one.right else "wrong"
        lines.append(f"| {one.query} | {one.first} | {right} | {one.match.where()} | {one.chance:.2g} |")
    count = sum(one.right for one in found)
    lines.append(
        f"\n{count} of {len(found)} renditions in another style, key and tempo found their work first among "
        f"{WORKS} (by chance: 1 of {WORKS}). Composed here, by other seeds than the network was trained on."
    )
    return "\n".join(lines)


def _recordings() -> dict[str, list[Recording]]:
    made: dict[str, list[Recording]] = {COLLECTION: [], QUERIES: []}
    for work, title in enumerate(titles(SEED)[:WORKS]):
        first, other = draw_covers((SEED, work), title, 2, "")
        made[COLLECTION].append(_file(first, title))
        if work < ASKED:
            made[QUERIES].append(_file(other, title))
    return made


def _file(recording: Recording, title: str) -> Recording:
    clip = replace(
        recording.clips[0], path=f"{slug(title)}-{slug(recording.rendition.style)}.wav", end_seconds=SECONDS
    )
    return replace(recording, clips=(clip,))
