"""Training with few labels (paper 4.2.2): which training clips keep theirs."""

from __future__ import annotations

import numpy as np


def labelled_rows(clips: int, fraction: float, seed: int) -> np.ndarray:
    """A plain random sample of the training clips, drawn without replacement; the others are not used.

    The paper says no more than "randomly sample 1%, 10% labeled data": clips are not drawn by tag, so a
    rare one may be left without a positive. With one seed a smaller fraction is a part of a larger one.

    Args:
        clips: how many there are.
        fraction: in (0, 1]; the sample has round(fraction * clips) of them.
        seed: of the sample alone: runs with another --seed share it.

    Returns: their rows, ascending: int64, (clips that keep their labels,).

    Raises: ValueError (one line) if no clip is left.
    """
    kept = round(fraction * clips)
    if kept == 0:
        raise ValueError(
            f"label_fraction {fraction:g} of {clips} training clips leaves none: take a larger one"
        )
    if kept == clips:
        return np.arange(clips)
    return np.sort(np.random.default_rng(seed).permutation(clips)[:kept])
