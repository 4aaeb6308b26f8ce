"""Composition: what stays the same in every rendition of a work, its melodies and chords."""

from dataclasses import dataclass

import numpy as np

from .styles import METRES, Metre, Style
from .theory import chord_tones, nearest_tone, scale_pitch

SECTION_BARS = 8  # or as many as a longer progression has (the blues: 12)
MOTIF_BARS = 2
# Which of a section's motifs come back: the ear knows a tune by them.
MOTIF_ORDER = (0, 0, 1, 0, 2, 2)
# Rhythms that fill so many beats, from calm to lively; in quarters, the last in 6/8 (a beat is 1.5 quarters).
SIMPLE_RHYTHMS = (((2,), 2), ((1,), 1), ((1.5, 0.5), 2), ((0.5, 0.5), 1))
COMPOUND_RHYTHMS = (((3,), 2), ((1.5,), 1), ((1, 0.5), 1), ((0.5, 0.5, 0.5), 1))
LOWEST_STEP, HIGHEST_STEP = -2, 8
STEP_MOVES, STEP_CHANCES = (-2, -1, 1, 2), (0.2, 0.3, 0.3, 0.2)
LEAPS = (-4, -3, 0, 3, 4)


@dataclass(frozen=True)
class MelodyNote:
    """A note of a tune: quarters from the section's start, and semitones above the tonic."""

    onset: float
    duration: float
    pitch: int


@dataclass(frozen=True)
class Section:
    """One chord a bar (tones in semitones above the tonic, the root first), and the tune over them."""

    chords: tuple[tuple[int, ...], ...]
    melody: tuple[MelodyNote, ...]


@dataclass(frozen=True)
class Work:
    """A composition: mode, metre (a key of METRES) and sections by letter."""

    title: str
    style: str
    mode: str
    metre: str
    sections: dict[str, Section]


def compose(
    rng: np.random.Generator, title: str, style_name: str, style: Style, mode: str, metre: str
) -> Work:
    """A work of three sections in a style."""
    sections = {
        letter: _section(
            rng, rng.choice(style.progressions(mode)).split(), mode, METRES[metre], style.activity
        )
        for letter in "ABC"
    }
    return Work(title, style_name, mode, metre, sections)


def _section(
    rng: np.random.Generator, progression: list[str], mode: str, metre: Metre, activity: float
) -> Section:
    bars = max(SECTION_BARS, len(progression))
    chords = tuple(chord_tones(progression[bar % len(progression)], mode) for bar in range(bars))
    motifs = [_motif(rng, metre, activity) for _ in range(3)]
    start, notes = int(rng.integers(0, 5)), []
    for phrase in range(bars // MOTIF_BARS):
        step = start
        for onset, duration, move in motifs[MOTIF_ORDER[phrase]]:
            step += move
            if not LOWEST_STEP <= step <= HIGHEST_STEP:
                step -= 2 * move
            bar, within = divmod(onset, metre.bar_quarters)
            pitch = scale_pitch(step, mode)
            if within == 0 or duration >= 2 * metre.beat_quarters:
                pitch = nearest_tone(pitch, chords[phrase * MOTIF_BARS + int(bar)])
            notes.append(MelodyNote(phrase * MOTIF_BARS * metre.bar_quarters + onset, duration, pitch))
    return Section(chords, tuple(notes))


def _motif(rng: np.random.Generator, metre: Metre, activity: float) -> list[tuple[float, float, int]]:
    """Two bars of (onset, duration, move in steps of the scale); the last note rests out its bar."""
    rhythms = COMPOUND_RHYTHMS if metre.beat_quarters == 1.5 else SIMPLE_RHYTHMS
    calm = np.array([1 - activity, 1, activity, activity])
    beats = round(MOTIF_BARS * metre.bar_quarters / metre.beat_quarters)
    notes, onset, beat = [], 0.0, 0
    last_beats = 1 if beats < 6 else 2
    while beat < beats - last_beats:
        fits = np.array([length <= beats - last_beats - beat for _, length in rhythms])
        durations, length = rhythms[rng.choice(len(rhythms), p=calm * fits / (calm * fits).sum())]
        for duration in durations:
            notes.append((onset, float(duration), _move(rng)))
            onset += duration
        beat += length
    return [*notes, (onset, last_beats * metre.beat_quarters, _move(rng))]


def _move(rng: np.random.Generator) -> int:
    if rng.random() < 0.2:
        return int(rng.choice(LEAPS))
    return int(rng.choice(STEP_MOVES, p=STEP_CHANCES))
