"""What differs between tagging (any number of labels a clip) and genre (one). B: clips, T: tags."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import torch
from s3prl.downstream.music_tagging.metric import genre_metrics, scorable_tags, tagging_metrics
from s3prl.downstream.music_tagging.scoring.per_tag import (
    class_table,
    confusion_figure,
    tag_figure,
    tag_table,
)
from s3prl.downstream.music_tagging.scoring.weighted_metric import weighted_accuracy, weighted_tag_scores
from torch import Tensor
from torch.nn import functional as F

logger = logging.getLogger(__name__)


class Tagging:
    """Every tag is a yes or no of its own: sigmoid, binary cross-entropy, macro ROC-AUC and PR-AUC."""

    selects_by = "roc_auc"  # on dev: the best checkpoint

    @staticmethod
    def check(targets: np.ndarray, names: list[str], tracks: list[str], where: str) -> None:
        """Raises ValueError (one line) where no tag of the split, targets (B, T), can be scored."""
        if not scorable_tags(targets).any():
            raise ValueError(
                f"{where}: none of {len(names)} tags has clips with and clips without it, so nothing can be "
                f"learned or scored from its {len(tracks)} clips"
            )

    @staticmethod
    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        """Binary cross-entropy, mean over clips and tags; both (B, T)."""
        return F.binary_cross_entropy_with_logits(logits, targets)

    @staticmethod
    def probabilities(logits: Tensor) -> Tensor:
        """(B, T), each in [0, 1]."""
        return logits.sigmoid()

    @staticmethod
    def claims(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Confidence of what is said, and whether it is so: every tag of every clip, (B * T,)."""
        return probabilities.ravel(), targets.ravel() > 0

    metrics = staticmethod(tagging_metrics)

    @staticmethod
    def resampled(targets: np.ndarray, scores: np.ndarray, drawn: np.ndarray) -> dict[str, np.ndarray]:
        """The scores of `metrics` in each resample: targets, scores (B, T), drawn (R, B); each (R,).

        As there, a tag that a resample has no positives or no negatives of is not in its means; a resample
        without any tag left is NaN.
        """
        both = weighted_tag_scores(targets, scores, drawn)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the mean of no tag
            roc_auc, pr_auc = (np.nanmean(values, axis=1) for values in both)
        return {"roc_auc": roc_auc, "pr_auc": pr_auc}

    # A split's details: file name, function of (targets, scores, names).
    tables = {"per-tag": tag_table}
    figures = {"per-tag": tag_figure}


class Genre:
    """One class a clip: softmax, cross-entropy, accuracy."""

    selects_by = "accuracy"

    @staticmethod
    def check(targets: np.ndarray, names: list[str], tracks: list[str], where: str) -> None:
        """Raises ValueError (one line) for a clip that has not exactly one label; targets (B, T)."""
        if len(names) < 2:
            raise ValueError(f"{where}: task genre needs two classes or more, there is only {names[0]!r}")
        wrong = np.flatnonzero(targets.sum(axis=1) != 1)
        if len(wrong):
            labels = int(targets[wrong[0]].sum())
            raise ValueError(
                f"{where}: task genre needs one label a clip; {len(wrong)} clips have another number, the "
                f"first: {tracks[wrong[0]]} has {labels}. For several labels set task: tags"
            )

    @staticmethod
    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy, mean over clips; both (B, T), the targets one-hot."""
        return F.cross_entropy(logits, targets.argmax(dim=1))

    @staticmethod
    def probabilities(logits: Tensor) -> Tensor:
        """(B, T), rows sum to 1."""
        return torch.softmax(logits, dim=1)

    @staticmethod
    def claims(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Confidence of what is said, and whether it is so: the likeliest class of a clip, (B,)."""
        return probabilities.max(axis=1), probabilities.argmax(axis=1) == targets.argmax(axis=1)

    metrics = staticmethod(genre_metrics)

    @staticmethod
    def resampled(targets: np.ndarray, scores: np.ndarray, drawn: np.ndarray) -> dict[str, np.ndarray]:
        """The accuracy in each resample: targets, scores (B, T), drawn (R, B); (R,)."""
        return {"accuracy": weighted_accuracy(targets, scores, drawn)}

    tables = {"per-class": class_table}
    figures = {"confusion": confusion_figure}


Task = type[Tagging] | type[Genre]
TASKS: dict[str, Task] = {"tags": Tagging, "genre": Genre}
