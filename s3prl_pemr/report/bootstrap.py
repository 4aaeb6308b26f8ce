"""How far scores would move with other test songs: a bootstrap. B: clips, R: resamples.

Songs are drawn, not clips: clips of one song are no independent examples. An interval is of the sampling of
the test set alone; other seeds, crops or training sets move scores too.
"""

from __future__ import annotations

import numpy as np


def drawn_counts(songs: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """How often each clip is in each resample: as many songs as there are, drawn with replacement.

    Args:
        songs: of each clip, 0 to songs - 1, (B,).
        resamples: R.
        seed: of the draw.

    Returns: int64, (R, B); clips of one song have equal counts.
    """
    count = int(songs.max()) + 1
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    return draws[:, songs]


def interval_95(values: np.ndarray, score: float) -> list[float]:
    """The score with the central 95 % of the resamples' deviations from their mean.

    PR-AUC rises where a clip is drawn twice: with few songs resamples lie above the score, and their plain
    percentiles above what other songs would give. So their mean's distance from the score is taken off.

    Args:
        values: of the resamples, (R,); those that could not be scored are NaN.
        score: of the split itself.

    Returns: both ends, in [0, 1].
    """
    ends = score + np.nanpercentile(values, [2.5, 97.5]) - np.nanmean(values)
    return [float(end) for end in np.clip(ends, 0, 1)]
