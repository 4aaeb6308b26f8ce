"""The key of a clip: one of 24 classes, of which near misses count. B: clips, T: keys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from s3prl.downstream.music_tagging.scoring.key_score import (
    key_metrics,
    key_scores,
    relation_table,
    weighted_key_score,
)

from .multiclass import Multiclass


class Key(Multiclass):
    """As Multiclass, and mir_eval's weighted score of keys, which chooses the checkpoint (MARBLE)."""

    selects_by = "weighted_score"

    @staticmethod
    def check(targets: np.ndarray, names: list[str], tracks: list[str], where: str) -> None:
        """Raises ValueError (one line) for a clip without exactly one label, or a label that is no key."""
        key_scores(tuple(names))
        Multiclass.check(targets, names, tracks, where)

    metrics = staticmethod(key_metrics)

    @staticmethod
    def resampled(
        targets: np.ndarray, scores: np.ndarray, drawn: np.ndarray, names: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Both scores in each resample: targets, scores (B, T), drawn (R, B); each (R,)."""
        weighted = weighted_key_score(targets, scores, drawn, names)
        return {"weighted_score": weighted, **Multiclass.resampled(targets, scores, drawn, names)}

    tables = {**Multiclass.tables, "key-relations": relation_table}
