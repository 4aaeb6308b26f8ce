"""The demo's covers: renditions that the shipped network never heard, looked for in a small collection.

The network is the Ki-Net of the paper's Table 5; what it finds alone is scored on all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from s3prl_pemr.covers.identify import known_of
from s3prl_pemr.covers.index import CoverIndex, read_index
from s3prl_pemr.covers.model import DEFAULT, open_model
from s3prl_pemr.covers.ranking import Match, false_alarm, rank
from s3prl_pemr.demo.covers import draw_covers
from s3prl_pemr.demo.music.recording import Recording
from s3prl_pemr.demo.names import slug, titles

SEED, WORKS, ASKED = 17, 30, 4  # the recipe's works have other seeds
SECONDS = 60
QUERIES, COLLECTION = "queries", "collection"


@dataclass(frozen=True)
class Found:
    """What a query led to."""

    query: str
    first: str
    match: Match
    chance: float

    @property
    def right(self) -> bool:
        """Whether the first is the same work."""
        return _work(self.query) == _work(self.first)


@dataclass(frozen=True)
class Score:
    """MAP of the network alone, its 95 % interval over works, and what a random order has; of `tracks`."""

    mean: float
    interval: tuple[float, float]
    chance: float
    tracks: int


def find(music: Path, index: Path) -> tuple[list[Found], Score]:
    """Look for the first ASKED queries in the collection.

    A query is another rendition of a work of the collection: other style, key, tempo and instruments.

    Args:
        music: what cover_music.py made.
        index: of its collection.
    """
    known, model = read_index(index), open_model(DEFAULT)
    queries = sorted(Path(recording.clips[0].path).stem for recording in recordings()[QUERIES])
    others = {name: known_of(music / QUERIES / f"{name}.wav", model) for name in queries}
    found = []
    for name in queries[:ASKED]:
        matches = rank(others[name], known, top=1)
        chance = false_alarm([match.score for match in matches])
        found.append(Found(name, Path(known.vectors.name(matches[0].row)).stem, matches[0], chance))
    return found, score_network(known, {name: other.embedding for name, other in others.items()})


def score_network(index: CoverIndex, others: dict[str, np.ndarray]) -> Score:
    """Every track is a query among all; of `ready`'s embeddings the first entries are the network's.

    Args:
        index: of `ready`, of files named TITLE-STYLE.
        others: embeddings of further renditions by such names, (332,).
    """
    from s3prl.downstream.cover_song.networks.ready import ReadyKiNet
    from s3prl.downstream.cover_song.ranking.expectation import intervals
    from s3prl.downstream.cover_song.ranking.report import Retrieval  # matplotlib: --help does without

    tracks = [*(Path(track).stem for track in index.tracks), *others]
    embeddings = np.concatenate([index.embeddings, *(other[None] for other in others.values())])
    of_network = embeddings[:, : ReadyKiNet.width]
    retrieval = Retrieval("demo", tracks, [_work(track) for track in tracks], of_network)
    low, high = intervals(retrieval.scores)["map"]
    return Score(retrieval.results["map"], (low, high), retrieval.chance["map"], len(tracks))


def markdown(found: list[Found], score: Score) -> str:
    """A row for each query, and what the network alone is worth."""
    lines = ["| query | found first | | where | chance of a false alarm |", "|---|---|---|---|---|"]
    for one in found:
        right = "right" if one.right else "wrong"
        lines.append(f"| {one.query} | {one.first} | {right} | {one.match.where()} | {one.chance:.2g} |")
    count, (low, high) = sum(one.right for one in found), score.interval
    lines.append(
        f"\n{count} of {len(found)} renditions in another style, key and tempo found their work first among "
        f"{WORKS} (by chance: 1 of {WORKS}). Composed here, by other seeds than the network was trained on. "
        "The network is Table 5's Ki-Net, trained as recipes/covers says; Fourier magnitudes and an "
        f"alignment help it here. By itself it has a MAP of {score.mean:.3f} [{low:.3f}, {high:.3f}] on all "
        f"{score.tracks} renditions of these {WORKS} works, where a random order has {score.chance:.3f}."
    )
    return "\n".join(lines)


def recordings() -> dict[str, list[Recording]]:
    """A rendition of each work for the COLLECTION, and another one for the QUERIES."""
    made: dict[str, list[Recording]] = {COLLECTION: [], QUERIES: []}
    for work, title in enumerate(titles(SEED)[:WORKS]):
        first, other = draw_covers((SEED, work), title, 2, "")
        made[COLLECTION].append(_file(first, title))
        made[QUERIES].append(_file(other, title))
    return made


def _work(name: str) -> str:
    return name.rpartition("-")[0]  # files are named TITLE-STYLE


def _file(recording: Recording, title: str) -> Recording:
    clip = replace(
        recording.clips[0], path=f"{slug(title)}-{slug(recording.rendition.style)}.wav", end_seconds=SECONDS
    )
    return replace(recording, clips=(clip,))
