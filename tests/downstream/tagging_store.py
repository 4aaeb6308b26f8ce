"""Clips whose tags can be heard (a low tone, a high tone, noise, any of them)."""

import numpy as np

from s3prl_pemr.audio import SAMPLE_RATE

TAGS = ("high tone", "low tone", "noise")
SPLITS = ("train", "train", "valid", "test")


def clip(tags, generator, seconds=1.0):
    """A clip that has these of TAGS: float, (samples,)."""
    time_seconds = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wav = 0.003 * generator.standard_normal(len(time_seconds))
    for tag, hertz in (("high tone", 3000), ("low tone", 300)):
        if tag in tags:
            wav += 0.2 * np.sin(2 * np.pi * hertz * generator.uniform(0.9, 1.1) * time_seconds)
    if "noise" in tags:
        wav += 0.05 * generator.standard_normal(len(time_seconds))
    return wav


def all_combinations(generator):
    """Every combination of TAGS six times, 32 in train, 8 in valid, 8 in test."""
    for number in range(48):
        tags = tuple(tag for bit, tag in enumerate(TAGS) if number >> bit & 1)
        yield f"clip{number:02d}", (tags, SPLITS[number // 8 % 4], clip(tags, generator))
