"""Made-up songs and stores of them: a work is a sequence of chords, a version its key, tempo and timbre."""

import numpy as np
import soundfile

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.prepare.__main__ import main as prepare


def polyphony(seconds, sample_rate, seed=0, key=0, chord_seconds=0.7, partials=4):
    """Chords of three tones with falling partials: float32, (samples,); the same music at any rate."""
    generator = np.random.default_rng(seed)
    samples = max(round(seconds * sample_rate), 1)
    time = np.arange(samples) / sample_rate
    wav = np.zeros(samples)
    for start in np.arange(0, max(seconds, chord_seconds), chord_seconds):
        tones = generator.integers(36, 72, size=3) + key
        first, last = round(start * sample_rate), round((start + chord_seconds) * sample_rate)
        here = time[first:last]
        envelope = np.exp(-3 * (here - start)) * np.minimum((here - start) / 0.02, 1)
        for tone in tones:
            hertz = 440 * 2 ** ((tone - 69) / 12)
            for partial in range(1, partials + 1):
                wav[first:last] += envelope * np.sin(2 * np.pi * partial * hertz * here) / partial
    return (0.05 * wav).astype(np.float32)


def version(work, number, seconds):
    """Another key, tempo and timbre for each number."""
    beat_seconds = 0.6 + 0.05 * number
    return polyphony(seconds, SAMPLE_RATE, work, number % 3, beat_seconds, partials=2 + number)


def cover_store(folder, tracks):
    """A store of {name: (work, split, wav)}; the tracks' names end in .wav."""
    source = folder / "SRC"
    source.mkdir(parents=True)
    lines = []
    for name, (work, split, wav) in tracks.items():
        soundfile.write(source / f"{name}.wav", wav, SAMPLE_RATE)
        lines.append(f"{name}.wav\t{work}\t{split}\n")
    (folder / "labels.tsv").write_text("".join(lines))
    command = ["folder", source, folder / "STORE", "--labels", folder / "labels.tsv", "--jobs", 1]
    assert prepare([str(word) for word in command]) == 0
    return folder / "STORE"
