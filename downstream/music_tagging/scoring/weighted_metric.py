"""The scores of metric.py for many weightings of the same clips at once. B: clips, T: tags, R: resamples.

A weight says how often a clip was drawn: the scores are those of a split in which it stands so many times.
"""

from __future__ import annotations

import numpy as np

CHUNK = 100  # resamples at a time: of 5,329 clips they fit into a processor's cache


def weighted_tag_scores(
    targets: np.ndarray, scores: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """ROC-AUC and average precision of each tag in each resample, NaN where it lacks positives or negatives.

    Args:
        targets, scores: (B, T), by the conventions of metric.py.
        weights: whole numbers, not negative, (R, B).

    Returns: each float64, (R, T).
    """
    both = np.full((2, len(weights), targets.shape[1]), np.nan)
    orders = np.argsort(-scores, axis=0, kind="stable")
    for first in range(0, len(weights), CHUNK):
        drawn = np.ascontiguousarray(weights[first : first + CHUNK].T, dtype=np.int32)
        for tag in np.flatnonzero(targets.any(axis=0)):
            order = orders[:, tag]
            ranked = targets[order, tag] > 0, scores[order, tag], drawn[order]
            both[:, first : first + CHUNK, tag] = _one_tag(*ranked)
    return both[0], both[1]


def weighted_accuracy(targets: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of clips whose highest score is their class: targets, scores (B, T), weights (R, B) -> (R,)."""
    right = scores.argmax(axis=1) == targets.argmax(axis=1)
    return weights @ right / weights.sum(axis=1)


def _one_tag(positive: np.ndarray, scores: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both scores of a tag, for clips from the highest score to the lowest; drawn: (B, R). Each (R,).

    Clips with equal scores are one threshold. Only thresholds with positives enter the sums.
    """
    starts = np.flatnonzero(np.append(True, scores[1:] != scores[:-1]))
    threshold = np.searchsorted(starts, np.flatnonzero(positive), side="right") - 1
    held, first_positive = np.unique(threshold, return_index=True)
    begin, end = starts[held], np.append(starts, len(scores))[held + 1]

    edges = np.unique(np.concatenate([[0], begin, end]))
    edges = edges[edges < len(scores)]
    sums = np.cumsum(np.add.reduceat(drawn, edges, axis=0), axis=0, dtype=np.float64)
    above = np.concatenate([np.zeros((1, drawn.shape[1])), sums])  # clips drawn before an edge
    before, upto = above[np.searchsorted(edges, begin)], above[np.searchsorted(edges, end)]

    gained = np.add.reduceat(drawn[positive], first_positive, axis=0).astype(np.float64)
    found = np.cumsum(gained, axis=0)
    positives = found[-1]
    negatives = above[-1] - positives
    below_or_tied = negatives - (before - (found - gained))
    tied = (upto - before) - gained
    with np.errstate(invalid="ignore", divide="ignore"):
        roc_auc = (gained * (below_or_tied - tied / 2)).sum(axis=0) / (positives * negatives)
        pr_auc = (gained * found / np.maximum(upto, 1)).sum(axis=0) / positives
    pr_auc[negatives == 0] = np.nan
    return roc_auc, pr_auc
