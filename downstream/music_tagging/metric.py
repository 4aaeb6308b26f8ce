"""Scores of clip-level predictions, by scikit-learn. B: clips, T: tags or classes.

Conventions
    targets: (B, T), 1 where the clip has the tag, else 0. scores: (B, T), finite, higher means more likely;
    only their order within a tag (for accuracy: within a clip) matters. Results are floats in [0, 1].

Metrics
    roc_auc: area under the ROC curve of each tag, a tie counting one half; mean over tags (macro).
    pr_auc: average precision of each tag - a step sum, not the trapezoid over the curve, which is too
        optimistic; tied scores are one threshold; mean over tags (macro). It grows with the share of
        positives: not comparable between splits that differ in it.
    accuracy: share of clips whose highest score is their class; of equal scores the lower index.
    A tag that all clips have, or none, has no ROC curve: it is left out of both means, and named.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, roc_auc_score


def scorable_tags(targets: np.ndarray) -> np.ndarray:
    """Which tags have both positives and negatives; targets (B, T) -> bool, (T,)."""
    positives = targets.sum(axis=0)
    return (positives > 0) & (positives < len(targets))


def tag_scores(targets: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """ROC-AUC and average precision of each tag, NaN for a tag without positives or negatives.

    Returns: each float64, (T,).

    Raises: ValueError (one line) for inputs that break the conventions above.
    """
    targets, scores = _validated(targets, scores)
    roc_auc, pr_auc = np.full((2, targets.shape[1]), np.nan)
    for tag in np.flatnonzero(scorable_tags(targets)):
        roc_auc[tag] = roc_auc_score(targets[:, tag], scores[:, tag])
        pr_auc[tag] = average_precision_score(targets[:, tag], scores[:, tag])
    return roc_auc, pr_auc


def tagging_metrics(
    targets: ArrayLike, scores: ArrayLike, names: Sequence[str] | None = None
) -> dict[str, float | int | list[str]]:
    """Macro ROC-AUC and PR-AUC over the tags that have positives and negatives.

    Args:
        targets, scores: (B, T), by the conventions above.
        names: of the tags, for `left_out`; default: their indices as text.

    Returns: `roc_auc`, `pr_auc`, `clips` (B), `tags` (how many entered the means), `left_out` (names of the
        others, in order).

    Raises: ValueError (one line): no tag can be scored, or the inputs break the conventions above.
    """
    roc_auc, pr_auc = tag_scores(targets, scores)
    names = [str(tag) for tag in range(len(roc_auc))] if names is None else names
    left_out = [name for name, score in zip(names, roc_auc, strict=True) if np.isnan(score)]
    if len(left_out) == len(roc_auc):
        raise ValueError(f"none of {len(roc_auc)} tags has clips with and clips without it")
    return {
        "roc_auc": float(np.nanmean(roc_auc)),
        "pr_auc": float(np.nanmean(pr_auc)),
        "clips": len(np.asarray(targets)),
        "tags": len(roc_auc) - len(left_out),
        "left_out": left_out,
    }


def genre_metrics(
    targets: ArrayLike, scores: ArrayLike, names: Sequence[str] | None = None
) -> dict[str, float | int | list[str]]:
    """Accuracy of one-label predictions.

    Args:
        targets, scores: (B, T), by the conventions above; one class a clip.
        names: of the classes, for `left_out`; default: their indices as text.

    Returns: `accuracy`, `clips` (B), `tags` (classes that have clips), `left_out` (names of the others).

    Raises: ValueError (one line): a clip has not exactly one class, or the conventions above are broken.
    """
    targets, scores = _validated(targets, scores)
    if (targets.sum(axis=1) != 1).any():
        raise ValueError("accuracy needs exactly one class a clip")
    there = np.any(targets, axis=0)
    names = [str(tag) for tag in range(len(there))] if names is None else names
    return {
        "accuracy": float((scores.argmax(axis=1) == targets.argmax(axis=1)).mean()),
        "clips": len(targets),
        "tags": int(there.sum()),
        "left_out": [name for name, seen in zip(names, there, strict=True) if not seen],
    }


def _validated(targets: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    targets, scores = np.asarray(targets), np.asarray(scores)
    if targets.ndim != 2 or targets.shape != scores.shape or targets.size == 0:
        raise ValueError(
            f"targets and scores must both be (clips, tags) and not empty, got {targets.shape} and "
            f"{scores.shape}"
        )
    if not np.isin(targets, (0, 1)).all():
        raise ValueError("targets must be 0 or 1")
    if not np.isfinite(scores).all():
        bad = np.count_nonzero(~np.isfinite(scores).all(axis=1))
        raise ValueError(f"the scores of {bad} of {len(scores)} clips are NaN or infinite: training diverged")
    return targets, scores
