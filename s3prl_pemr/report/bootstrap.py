"""How far scores would move with other test songs: bootstrap, jackknife. B: clips, R: resamples.

Songs are drawn, not clips: clips of one song are no independent examples. An interval is of the sampling of
the test set alone; other seeds, crops or training sets move scores too.
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

INTERVAL_METHOD = "jackknife_t_logit"  # of interval_95, as scores.json names it
MOST_PARTS = 1_200  # of left_out_counts: it stays as quick as the resamples
MIN_SONGS = 24  # or works: from here on intervals cover 92 % or more, by tests/report/test_coverage.py


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


def left_out_counts(songs: np.ndarray) -> np.ndarray:
    """The clips without one song at a time: the jackknife's weights, 0 for its clips and 1 for the others.

    Of more than MOST_PARTS songs, that many parts of them are left out (the delete-a-group jackknife).

    Args:
        songs: of each clip, 0 to songs - 1, (B,).

    Returns: int64, (parts, B).
    """
    parts = min(int(songs.max()) + 1, MOST_PARTS)
    return (songs % parts != np.arange(parts)[:, None]).astype(np.int64)


def empirical_logit(values: np.ndarray, songs: int, bounds: tuple[float, float] = (0, 1)) -> np.ndarray:
    """log((x - low + d) / (high - x + d)): the logit, finite also where every song was right.

    d is half a song's share, (high - low) / (2 songs): the empirical logistic transform, Cox (1970).
    Without an upper bound (high infinite) it is log(x - low + d) and d is 1 / (2 songs).

    Args:
        values: in bounds, any shape; NaN stays NaN.
        songs: that a value is of.
        bounds: low and high.

    Returns: the shape of values.
    """
    low, high = bounds
    if np.isinf(high):
        return np.log(values - low + 0.5 / songs)
    half = (high - low) / (2 * songs)
    return np.log((values - low + half) / (high - values + half))


def from_empirical_logit(logits: np.ndarray, songs: int, bounds: tuple[float, float] = (0, 1)) -> np.ndarray:
    """The values that have these empirical logits, at most as far as the bounds; the shape of logits."""
    low, high = bounds
    if np.isinf(high):
        return np.maximum(np.exp(logits) + low - 0.5 / songs, low)
    half = (high - low) / (2 * songs)
    share = 1 / (1 + np.exp(-logits))
    return np.clip(share * (high - low + 2 * half) + low - half, low, high)


def interval_95(
    values: np.ndarray, left_out: np.ndarray, score: float, songs: int, bounds: tuple[float, float] = (0, 1)
) -> list[float]:
    """Student's t interval, studentised over songs by the jackknife, on the scale of empirical_logit.

    L - bias -+ t(0.975; songs - 1) error, for L the score; bias is the resamples' mean less L, and error**2
    (n - 1) / n times the sum of squared deviations of the n left-out scores from their mean. Efron and
    Tibshirani, An Introduction to the Bootstrap (1993): bias chapter 10, jackknife 11, t intervals and why to
    transform 12.4 and 12.6. PR-AUC is above the truth in a small split and higher yet in its resamples, so
    percentiles miss it, BCa's too; and resamples of few songs differ too little, as do tags few songs have.

    It cannot know what no song showed: where all resamples equal the score, as a perfect one's do, both ends
    are the score. Over few songs it is rough: MIN_SONGS.

    Args:
        values: of the resamples, (R,); those that could not be scored are NaN.
        left_out: scores by left_out_counts, (n,); NaN likewise.
        score: of the split itself.
        songs: that it has.
        bounds: what a score can be at least and at most; one of them may be infinite.

    Returns: both ends, in bounds; the bounds themselves where fewer than two left-out scores, or no resample,
        could be scored: one song tells nothing of others.
    """
    if np.isinf(bounds[0]):  # mirrored: the scale below knows an open upper end
        ends = interval_95(-values, -left_out, -score, songs, (-bounds[1], np.inf))
        return [-end for end in reversed(ends)]
    values, left_out = values[~np.isnan(values)], left_out[~np.isnan(left_out)]
    parts = len(left_out)
    if songs < 2 or parts < 2 or len(values) == 0:
        return [float(bound) for bound in bounds]
    if (values == score).all() and (left_out == score).all():
        return [float(score), float(score)]
    here, there, without = (empirical_logit(x, songs, bounds) for x in (np.array(score), values, left_out))
    reach = stdtrit(songs - 1, 0.975) * np.sqrt(parts - 1) * without.std()
    ends = 2 * here - there.mean() + np.array([-reach, reach])
    return [float(end) for end in from_empirical_logit(ends, songs, bounds)]


def too_few(count: int, what: str) -> str | None:
    """What to warn of intervals over `count` songs, or what else was drawn; None where they are enough."""
    if count >= MIN_SONGS:
        return None
    return (
        f"intervals over {count} {what}: so few are rough; in simulations the truth was in 78 to 96 % of "
        f"those over 4, 90 to 94 % over 8, 92 to 97 % over {MIN_SONGS} or more"
    )
