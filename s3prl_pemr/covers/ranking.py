"""Which tracks of an index are most like one: candidates by their embeddings, then by their alignments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from s3prl.downstream.cover_song.cqt.columns import SECONDS
from s3prl.downstream.cover_song.training_free.alignment import Alignment, align
from s3prl.downstream.cover_song.training_free.rerank import ALIGNMENT_WEIGHT

from .index import CoverIndex
from .track import CHROMA_SCALE, Known, clock

CANDIDATES = 20  # that are aligned
COVERS, SPACINGS = 4, 10  # of a query, at most; and how many scores behind them tell of unrelated tracks


@dataclass(frozen=True)
class Match:
    """A track of the index.

    Attributes:
        row: in the index.
        score: what it is ranked by; the cosine where nothing was aligned.
        alignment: with the query; None where it was not aligned.
    """

    row: int
    score: float
    cosine: float
    alignment: Alignment | None = None

    @property
    def semitones(self) -> int:
        """By how many the track is higher than the query, -6 to 5."""
        return (-self.alignment.semitones + 6) % 12 - 6

    def where(self) -> str:
        """Transposition, tempo, and the places in query and track, for people; '' where not aligned."""
        if self.alignment is None or self.alignment.path is None:
            return ""
        (query_from, query_to), (from_, to) = self.alignment.stretches
        return (
            f"{self.semitones:+d} semitones, {clock(query_from)}-{clock(query_to)} of the query is "
            f"{clock(from_)}-{clock(to)}"
        )

    def as_json(self, track: str, false_alarm: float | None) -> dict:
        """For programs; times in seconds."""
        found = {"track": track, "score": self.score, "cosine": self.cosine, "false_alarm": false_alarm}
        if self.alignment is not None and self.alignment.path is not None:
            places = zip(("query", "track"), self.alignment.stretches, strict=True)
            seconds = {name: [round(end * SECONDS, 1) for end in ends] for name, ends in places}
            found |= {"semitones": self.semitones, "tempo_ratio": self.alignment.tempo_ratio}
            found |= {f"{name}_seconds": ends for name, ends in seconds.items()}
        return found


def rank(query: Known, index: CoverIndex, top: int, without: int | None = None) -> list[Match]:
    """The best of an index's tracks, at least CANDIDATES of them aligned with the query, best first.

    Args:
        top: how many are wanted with the places of their alignments.
        without: a row that is left out: the query's own. Silent tracks are, too.
    """
    [(rows, cosines)] = index.vectors.nearest(query.embedding[None], max(top, CANDIDATES) + 1)
    others = [(int(row), float(cosine)) for row, cosine in zip(rows, cosines, strict=True) if row != without]
    matches = []
    for row, cosine in others[: max(top, CANDIDATES)]:
        found = aligned(query, index.known[row])
        score = cosine if found is None else cosine + ALIGNMENT_WEIGHT * found.score
        matches.append(Match(row, score, cosine, found))
    matches.sort(key=lambda match: -match.score)
    return [
        Match(match.row, match.score, match.cosine, aligned(query, index.known[match.row], path=True))
        for match in matches[:top]
    ] + matches[top:]


def aligned(first: Known, second: Known, path: bool = False) -> Alignment | None:
    """Two tracks' alignment; None where one is of an index of version 0.1, without chroma."""
    if first.chroma is None or second.chroma is None:
        return None
    return align(*(known.chroma.astype(np.float32) / CHROMA_SCALE for known in (first, second)), path=path)


def false_alarm(scores: Sequence[float]) -> float | None:
    """How often the best of unrelated tracks is as far ahead of the others as the best of these.

    What is behind the first COVERS scores is of unrelated tracks, unless there are more covers than that. If
    their scores have an exponential tail, the k-th is ahead of the next by an exponential spacing of mean
    scale / k (Renyi 1953). So the lead of the first over the one behind the COVERS is the largest of COVERS
    exponentials, the SPACINGS behind it times their places add up to a gamma variable of that order, and with
    r the ratio of both P = 1 - sum_k (-1)^k binom(COVERS, k) (1 + k r)^-SPACINGS, whatever the scale is. On
    music that no threshold was chosen on, false alarms were rarer than this says (docs/covers.md).

    Args:
        scores: of one query, best first.

    Returns: None for fewer than 15 scores.
    """
    if len(scores) <= COVERS + SPACINGS:
        return None
    values = np.asarray(scores, np.float64)
    places = np.arange(COVERS + 1, COVERS + SPACINGS + 1)
    scale = (places * -np.diff(values[COVERS : COVERS + SPACINGS + 1])).sum()
    ratio = (values[0] - values[COVERS]) / max(scale, 1e-12)
    terms = [(-1) ** k * comb(COVERS, k) * (1 + k * ratio) ** -SPACINGS for k in range(COVERS + 1)]
    return float(min(max(1 - sum(terms), 0.0), 1.0))
