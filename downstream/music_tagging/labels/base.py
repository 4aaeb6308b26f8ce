"""What a kind of task says of itself, beyond its arithmetic. B: clips, T: tags, classes or numbers."""

from __future__ import annotations

import numpy as np
from s3prl.downstream.music_tagging.scoring.report import top_lines

from .targets import multi_hot, tag_names


class Classification:
    """Base of Tagging, Multiclass and Key, made for a number of outputs; Regression has the same on its own.

    Each has, besides what is here: `selects_by`, the score that chooses the best checkpoint on dev; `check`,
    `loss`, `scores` (of the head's outputs), `metrics`, and `resampled`, the same in each resample; `tables`
    and `figures`, a split's details: file name, function of (targets, scores, names).

    Attributes:
        probabilistic: scores are probabilities, of which a temperature and a calibration error make sense;
            then it has `claims`.
        bounds: what a metric can be at least and at most.
    """

    probabilistic = True
    bounds = (0.0, 1.0)
    names = staticmethod(tag_names)  # of a store, in the order of the outputs
    targets = staticmethod(multi_hot)  # of a store's tracks, (B, T)
    lines = staticmethod(top_lines)  # that -m inference prints of a file

    def __init__(self, outputs: int):
        pass

    def fit(self, targets: np.ndarray) -> None:
        """Learn what there is to know of the training targets, (B, T), before the head is trained."""
