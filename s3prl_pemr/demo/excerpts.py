"""One new work in one rendition, cut into clips: what both tagging data sets are made of."""

import itertools
from collections import Counter

import numpy as np

from s3prl_pemr.demo.music.recording import Clip, Recording
from s3prl_pemr.demo.music.rendition import draw_rendition, least_used
from s3prl_pemr.demo.music.styles import styles
from s3prl_pemr.demo.music.work import compose

MODES = ("major", "minor")


def draw_excerpts(
    seed: tuple[int, ...],
    title: str,
    performer: str,
    style_name: str,
    split: str,
    clip_seconds: list[int],
    sample_rate: int,
    used: Counter,
) -> Recording:
    """Compose and arrange; the clips follow one another and have no paths yet.

    `used` counts what was drawn before in the split: modes, metres, tempi, lineups and instruments that came
    seldom come next.
    """
    rng, style = np.random.default_rng(seed), styles()[style_name]
    mode, metre = least_used(rng, MODES, used), least_used(rng, style.metres, used)
    work = compose(rng, title, style_name, style, mode, metre)
    rendition = draw_rendition(rng, style_name, style, float(sum(clip_seconds)), used, seed)
    bounds = itertools.pairwise(itertools.accumulate(clip_seconds, initial=0))
    clips = tuple(Clip("", start, end) for start, end in bounds)
    return Recording(work, rendition, performer, split, sample_rate, clips)
