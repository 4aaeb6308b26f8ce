"""One class a clip: genre, instrument, pitch. B: clips, T: classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from s3prl.downstream.music_tagging.metric import genre_metrics
from s3prl.downstream.music_tagging.scoring.per_tag import class_table, confusion_figure
from s3prl.downstream.music_tagging.scoring.weighted_metric import weighted_accuracy
from torch import Tensor
from torch.nn import functional as F

from .base import Classification


class Multiclass(Classification):
    """One class a clip: softmax, cross-entropy, accuracy."""

    selects_by = "accuracy"

    @staticmethod
    def check(targets: np.ndarray, names: list[str], tracks: list[str], where: str) -> None:
        """Raises ValueError (one line) for a clip that has not exactly one label; targets (B, T)."""
        if len(names) < 2:
            raise ValueError(
                f"{where}: one class a clip needs two classes or more, there is only {names[0]!r}"
            )
        wrong = np.flatnonzero(targets.sum(axis=1) != 1)
        if len(wrong):
            labels = int(targets[wrong[0]].sum())
            raise ValueError(
                f"{where}: this task needs one label a clip; {len(wrong)} clips have another number, the "
                f"first: {tracks[wrong[0]]} has {labels}. For several labels set task: tags"
            )

    @staticmethod
    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy, mean over clips; both (B, T), the targets one-hot."""
        return F.cross_entropy(logits, targets.argmax(dim=1))

    @staticmethod
    def scores(logits: Tensor) -> Tensor:
        """Probabilities, (B, T), rows sum to 1."""
        return torch.softmax(logits, dim=1)

    @staticmethod
    def claims(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Confidence of what is said, and whether it is so: the likeliest class of a clip, (B,)."""
        return probabilities.max(axis=1), probabilities.argmax(axis=1) == targets.argmax(axis=1)

    metrics = staticmethod(genre_metrics)

    @staticmethod
    def resampled(
        targets: np.ndarray, scores: np.ndarray, drawn: np.ndarray, names: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """The accuracy in each resample: targets, scores (B, T), drawn (R, B); (R,)."""
        return {"accuracy": weighted_accuracy(targets, scores, drawn)}

    tables = {"per-class": class_table}
    figures = {"confusion": confusion_figure}
