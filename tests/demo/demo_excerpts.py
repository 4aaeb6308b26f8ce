"""Small pieces of the demo corpus, rendered once for the tests that listen to them."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache

import librosa
import numpy as np

from s3prl_pemr.demo.excerpts import draw_excerpts
from s3prl_pemr.demo.music.recording import Recording
from s3prl_pemr.demo.music.render import mastered, stems
from s3prl_pemr.demo.music.score import Score
from s3prl_pemr.demo.music.styles import styles

RATE = 16_000
SECONDS = 15
EXCERPTS_PER_STYLE = 3
HOP = 256


@dataclass(frozen=True)
class Excerpt:
    score: Score
    stems: list[np.ndarray]
    wav: np.ndarray

    def without(self, role):
        left = [stem for stem, part in zip(self.stems, self.score.parts, strict=True) if part.role != role]
        return mastered(np.sum(left, axis=0), RATE)


@cache
def excerpts():
    """EXCERPTS_PER_STYLE works of every style, drawn as the corpus draws them."""
    found, used = [], Counter()
    for style in styles():
        for number in range(EXCERPTS_PER_STYLE):
            seed = (77, len(found), number)
            recording = draw_excerpts(seed, "Title", "Performer", style, "train", [SECONDS], RATE, used)
            found.append(rendered(recording.score()))
    return found


def rendered(score):
    parts = stems(score, RATE)
    return Excerpt(score, parts, mastered(np.sum(parts, axis=0), RATE))


def small(recordings: list[Recording]) -> list[Recording]:
    """The same recordings, each file two seconds long."""
    return [
        replace(
            recording,
            rendition=replace(recording.rendition, seconds=2.0 * len(recording.clips)),
            clips=tuple(
                replace(clip, start_seconds=2 * i, end_seconds=2 * i + 2)
                for i, clip in enumerate(recording.clips)
            ),
        )
        for recording in recordings
    ]


def onset_strength(wav):
    return librosa.onset.onset_strength(y=wav, sr=RATE, hop_length=HOP)


def chroma(wav):
    return librosa.feature.chroma_stft(y=wav, sr=RATE, n_fft=4096, hop_length=1024, tuning=0.0)
