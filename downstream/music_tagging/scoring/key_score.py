"""Scores of keys: a wrong one that is near counts in part. B: clips, T: keys, R: resamples."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from s3prl.downstream.music_tagging.metric import genre_metrics

from .per_tag import Table

# By mir_eval.key.weighted_score, what each is worth; the score tells them apart.
RELATIONS = {"same": 1.0, "fifth above": 0.5, "relative": 0.3, "parallel": 0.2, "other": 0.0}


@cache
def key_scores(names: tuple[str, ...]) -> np.ndarray:
    """What mir_eval gives for each true key (rows) and each estimate (columns): (T, T).

    Raises: ValueError (one line): a name is no key, or mir_eval is not installed.
    """
    try:
        from mir_eval.key import weighted_score
    except ImportError as error:
        raise ValueError("task: key needs mir_eval: pip install 's3prl-pemr[key]'") from error
    scores = np.zeros((len(names), len(names)))
    for row, column in np.ndindex(scores.shape):
        try:
            scores[row, column] = weighted_score(names[row], names[column])
        except ValueError as error:
            odd = " or ".join(repr(names[place]) for place in dict.fromkeys((row, column)))
            raise ValueError(f"task: key: {odd} is no key as mir_eval spells them, `Eb minor`") from error
    return scores


def clip_scores(targets: np.ndarray, scores: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """mir_eval's score of each clip's likeliest key; targets, scores (B, T) -> (B,)."""
    return key_scores(tuple(names))[targets.argmax(axis=1), scores.argmax(axis=1)]


def key_metrics(
    targets: np.ndarray, scores: np.ndarray, names: Sequence[str]
) -> dict[str, float | int | list[str]]:
    """`weighted_score`, the mean of clip_scores, and what genre_metrics has; raises as that does."""
    rest = genre_metrics(targets, scores, names)
    return {"weighted_score": float(clip_scores(targets, scores, names).mean()), **rest}


def weighted_key_score(
    targets: np.ndarray, scores: np.ndarray, weights: np.ndarray, names: Sequence[str]
) -> np.ndarray:
    """The mean of clip_scores in each resample: targets, scores (B, T), weights (R, B) -> (R,)."""
    return weights @ clip_scores(targets, scores, names) / weights.sum(axis=1)


def relation_table(targets: np.ndarray, scores: np.ndarray, names: Sequence[str]) -> Table:
    """How many estimates are what to the true key, and what each is worth."""
    found = clip_scores(targets, scores, names)
    rows = [(name, worth, int((found == worth).sum())) for name, worth in RELATIONS.items()]
    return ("relation", "worth", "clips"), rows
