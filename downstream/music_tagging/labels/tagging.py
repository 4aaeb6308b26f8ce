"""Tags, any number a clip. B: clips, T: tags."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from s3prl.downstream.music_tagging.metric import scorable_tags, tagging_metrics
from s3prl.downstream.music_tagging.scoring.per_tag import tag_figure, tag_table
from s3prl.downstream.music_tagging.scoring.weighted_metric import weighted_tag_scores
from torch import Tensor
from torch.nn import functional as F

from .base import Classification


class Tagging(Classification):
    """Every tag is a yes or no of its own: sigmoid, binary cross-entropy, macro ROC-AUC and PR-AUC."""

    selects_by = "roc_auc"

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
    def scores(logits: Tensor) -> Tensor:
        """Probabilities, (B, T), each in [0, 1]."""
        return logits.sigmoid()

    @staticmethod
    def claims(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Confidence of what is said, and whether it is so: every tag of every clip, (B * T,)."""
        return probabilities.ravel(), targets.ravel() > 0

    metrics = staticmethod(tagging_metrics)

    @staticmethod
    def resampled(
        targets: np.ndarray, scores: np.ndarray, drawn: np.ndarray, names: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """The scores of `metrics` in each resample: targets, scores (B, T), drawn (R, B); each (R,).

        As there, a tag that a resample has no positives or no negatives of is not in its means; a resample
        without any tag left is NaN.
        """
        both = weighted_tag_scores(targets, scores, drawn)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the mean of no tag
            roc_auc, pr_auc = (np.nanmean(values, axis=1) for values in both)
        return {"roc_auc": roc_auc, "pr_auc": pr_auc}

    tables = {"per-tag": tag_table}
    figures = {"per-tag": tag_figure}
