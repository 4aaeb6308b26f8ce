"""Clips whose tags can be heard (a low tone, a high tone, noise, any of them), and stores of them."""

import numpy as np
import soundfile

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.prepare.__main__ import main as prepare

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


def make_store(folder, clips, *options):
    """A store of {name: (labels, split, wav)}; names without a suffix."""
    source = folder / "SRC"
    source.mkdir(parents=True)
    lines = []
    for name, (labels, split, wav) in clips.items():
        soundfile.write(source / f"{name}.wav", wav, SAMPLE_RATE)
        lines.append(f"{name}.wav\t{'|'.join(labels)}\t{split}\n")
    (folder / "labels.tsv").write_text("".join(lines))
    command = ["folder", source, folder / "STORE", "--labels", folder / "labels.tsv", "--jobs", 1, *options]
    assert prepare([str(word) for word in command]) == 0
    return folder / "STORE"


def all_combinations(generator):
    """Every combination of TAGS six times, 32 in train, 8 in valid, 8 in test."""
    for number in range(48):
        tags = tuple(tag for bit, tag in enumerate(TAGS) if number >> bit & 1)
        yield f"clip{number:02d}", (tags, SPLITS[number // 8 % 4], clip(tags, generator))
