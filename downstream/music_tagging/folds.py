"""Cross-validation in place of a store's splits: the classic protocol of GTZAN."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import StratifiedKFold


def fold_rows(classes: Sequence[str], folds: int, fold: int, seed: int) -> dict[str, np.ndarray]:
    """The rows of `test` (one fold), `dev` (the next one) and `train` (the others).

    Args:
        classes: of each clip; every fold has its share of each.
        folds: how many, at least 3.
        fold: which one is the test: 0 to folds - 1.
        seed: of the shuffle; all folds of one cross-validation have the same.

    Raises: ValueError (one line): a class has fewer clips than there are folds.
    """
    names, counts = np.unique(classes, return_counts=True)
    if counts.min() < folds:
        few = int(counts.argmin())
        raise ValueError(
            f"{folds} folds need {folds} clips of each class; {str(names[few])!r} has {counts[few]}"
        )
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    parts = [rows for _, rows in splitter.split(np.zeros(len(classes)), classes)]
    test, dev = parts[fold], parts[(fold + 1) % folds]
    train = np.setdiff1d(np.arange(len(classes)), np.concatenate([test, dev]))
    return {"train": train, "dev": dev, "test": test}
