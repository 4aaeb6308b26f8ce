"""Tracks that queries are compared with, in the order of `covers evaluate --aligned`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from s3prl.downstream.cover_song.ranking.cosine import unit_rows
from s3prl.downstream.cover_song.training_free.chroma import unit_columns
from s3prl.downstream.cover_song.training_free.rerank import reranked

from s3prl_pemr.covers.track import Known

FARTHEST = -1.0  # as a similarity: the opposite direction


class Collection:
    """What is known of each track; None of what cannot be heard, which is as far from all as can be.

    Args:
        tracks: (tracks,).
        aligned: how many of a query's nearest are aligned with it; 0: none.

    Raises:
        ValueError: one line: none of them can be heard.
    """

    def __init__(self, tracks: Sequence[Known | None], aligned: int):
        self.tracks, self.aligned = len(tracks), aligned
        self.heard = np.array([row for row, known in enumerate(tracks) if known is not None], np.int64)
        if not len(self.heard):
            raise ValueError(f"none of {self.tracks} tracks can be heard")
        self.unit = unit_rows(np.stack([tracks[row].embedding for row in self.heard]))
        self.chromas = [_chroma(tracks[row]) for row in self.heard] if aligned else []

    def similarities(self, query: Known | None, itself: int | None = None) -> np.ndarray:
        """Cosines, of what was aligned 2 more and the weighted alignment (rerank.py), (tracks,).

        Args:
            itself: the query's own place among the tracks, which is not aligned and stays FARTHEST.
        """
        found = np.full(self.tracks, FARTHEST)
        if query is not None:
            cosines = self.unit @ unit_rows(query.embedding[None])[0]
            cosines[self.heard == itself] = -np.inf
            if self.aligned:
                cosines = reranked(cosines, _chroma(query), self.chromas, self.aligned)
            found[self.heard] = np.maximum(cosines, FARTHEST)
        return found


def _chroma(known: Known) -> np.ndarray:
    return unit_columns(known.chroma.astype(np.float32))
