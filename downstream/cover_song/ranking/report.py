"""What an evaluation leaves in the experiment's folder, and the line that it prints."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from s3prl.downstream.cover_song.metric import summary

from s3prl_pemr.report.bootstrap import too_few
from s3prl_pemr.report.files import write_png, write_tsv
from s3prl_pemr.report.printable import visible
from s3prl_pemr.report.scores_file import write_scores

from .cosine import Rerank, scores_from_embeddings, unit_rows
from .expectation import context, random_ranking
from .picture import retrieval_figure
from .query_scores import CUT, QueryScores

logger = logging.getLogger(__name__)
TIE_WARNING = 1e-4  # of the MAP

COLUMNS = (
    "query", "work", "covers", "average_precision", f"hits_at_{CUT}", "first_rank", "top", f"ndcg_at_{CUT}",
)  # fmt: skip


def mean_cosine(embeddings: np.ndarray) -> float:
    """Mean over all pairs of different tracks, (tracks, E): close to 1 where a network has collapsed."""
    total, tracks = unit_rows(embeddings).sum(axis=0), len(embeddings)
    return float((total @ total - tracks) / (tracks * (tracks - 1)))


class Retrieval:
    """One evaluation of a split.

    Args:
        split: its name is part of the files' names.
        tracks, works: names, (tracks,).
        embeddings: (tracks, E).
        rerank: see cosine.py; without it the cosines decide.

    Attributes:
        scores: per query.
        results: their means, see metric.py: retrieval_metrics; and mean_cosine.

    Raises: ValueError (one line) for embeddings that are not finite, by the name of the first track.
    """

    def __init__(
        self,
        split: str,
        tracks: Sequence[str],
        works: Sequence[str],
        embeddings: np.ndarray,
        rerank: Rerank | None = None,
    ):
        self.split, self.tracks, self.works, self.embeddings = split, tracks, works, embeddings
        bad = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
        if len(bad):
            raise ValueError(
                f"{split}: the embeddings of {len(bad)} of {len(tracks)} tracks are NaN or infinite, the "
                f"first: {tracks[bad[0]]}"
            )
        self.scores = scores_from_embeddings(embeddings, works, rerank=rerank)
        self.results = {**summary(self.scores), "mean_cosine": mean_cosine(embeddings)}

    @property
    def line(self) -> str:
        """The scores and what they are of, in one line."""
        found = self.results
        return (
            f"{self.split}: MAP {found['map']:.4f}, P@10 {found['precision_at_10']:.4f}, "
            f"MR1 {found['mr1']:.2f}, {found['queries']} queries of {found['works']} works "
            f"among {found['tracks']} tracks; a random order has a MAP of {self.chance['map']:.4f}"
        )

    @cached_property
    def chance(self) -> dict[str, float]:
        """What a random ranking is expected to reach."""
        return random_ranking(self.scores)

    @property
    def few_works(self) -> str | None:
        """What to warn of the intervals; one work has none."""
        works = self.results["works"]
        return too_few(works, "works") if works > 1 else None

    def tell(self, intervals: bool = True) -> None:
        """Log the line, a warning where ties decided the MAP, and one of `intervals` over few works."""
        logger.info(visible(self.line))
        low, high = (self.results.get(f"map_{end}", 0.0) for end in ("pessimistic", "optimistic"))
        if high - low > TIE_WARNING:
            logger.warning(
                "%s: tracks with equal embeddings; in another order the MAP is %.4f to %.4f",
                self.split, low, high,
            )  # fmt: skip
        if intervals and self.few_works:
            logger.warning("%s: %s", self.split, self.few_works)

    def write(self, folder: Path, about: dict[str, Any]) -> None:
        """scores.json (this split's entry, with `about`), per_query-SPLIT.tsv and retrieval-SPLIT.png."""
        entry = {**self.results, **context(self.scores), **about}
        if self.results["distractors"]:
            entry["with_distractors_as_queries"] = summary(self.scores, strict=True)
        write_scores(folder, self.split, entry)
        rows = _query_rows(self.scores, self.tracks, self.works)
        write_tsv(folder / f"per_query-{self.split}.tsv", COLUMNS, rows)
        picture = retrieval_figure(self.scores, self.embeddings, self.line)
        write_png(folder / f"retrieval-{self.split}.png", picture, dpi=100)


def _query_rows(scores: QueryScores, tracks: Sequence[str], works: Sequence[str]) -> Iterator[tuple]:
    for row, query in enumerate(scores.queries):
        yield (
            tracks[query], works[query], scores.relevant[row], f"{scores.average_precision[row]:.6f}",
            round(scores.precision_at_10[row] * CUT), int(scores.first_rank[row]), tracks[scores.top[row]],
            f"{scores.ndcg_at_10[row]:.6f}",
        )  # fmt: skip
