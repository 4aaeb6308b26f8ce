"""From a work and a rendition to a score: every player's notes, in seconds."""

import numpy as np

from .patterns import Event, chord_events, drum_events
from .rendition import Player, Rendition
from .score import Note, Part, Score
from .styles import METRES, Instrument, Style, instruments, styles
from .theory import next_in_scale
from .work import Section, Work

TIMING_SECONDS, VELOCITY_STEPS = 0.006, 6.0  # standard deviations of a player's unevenness
ACCENT, PLAIN = 12, 0  # velocity
MELODY_VELOCITY = 92
ORNAMENT_QUARTERS = 0.25
LEGATO = 0.95


def arrange(work: Work, rendition: Rendition) -> Score:
    """The score of one rendition; the same arguments give the same score."""
    metre, style = METRES[work.metre], styles()[rendition.style]
    quarter_seconds = 60 / rendition.beats_per_minute / metre.beat_quarters
    sections, start = [], 0.0
    while start * quarter_seconds < rendition.seconds:
        section = work.sections[rendition.form[len(sections) % len(rendition.form)]]
        sections.append((section, start))
        start += len(section.chords) * metre.bar_quarters
    parts = []
    for number, player in enumerate(rendition.players):
        rng = np.random.default_rng([*rendition.seed, number])
        events = [
            event._replace(onset=start + event.onset)
            for section, start in sections
            for event in _events(rng, work, rendition, player, section)
        ]
        notes = _played(rng, events, style, quarter_seconds, metre.beat_quarters, rendition.seconds)
        parts.append(Part(player.instrument, player.role, notes))
    return Score(
        **{name: getattr(rendition, name) for name in ("style", "beats_per_minute", "tonic", "seconds")},
        **{name: getattr(work, name) for name in ("mode", "metre")},
        parts=tuple(parts),
        sections=tuple(
            (rendition.form[i % len(rendition.form)], start * quarter_seconds)
            for i, (_, start) in enumerate(sections)
        ),
    )


def _events(
    rng: np.random.Generator, work: Work, rendition: Rendition, player: Player, section: Section
) -> list[Event]:
    instrument = instruments()[player.instrument]
    if player.role == "drums":
        return drum_events(player.pattern, work.metre, len(section.chords))
    events = []
    if player.role in ("lead", "solo"):
        events += _melody(rng, work, rendition, instrument, section)
    if player.role != "lead":
        chords = [[rendition.tonic + tone for tone in chord] for chord in section.chords]
        events += chord_events(player.pattern, work.metre, chords, instrument, player.role)
    return events


def _melody(
    rng: np.random.Generator, work: Work, rendition: Rendition, instrument: Instrument, section: Section
) -> list[Event]:
    """The tune in the octave that suits the instrument, with a turn to the note above on some long notes."""
    pitches = [note.pitch for section in work.sections.values() for note in section.melody]
    highest = instrument.high - max(pitches)
    tonic = highest - (highest - rendition.tonic) % 12
    if tonic - 12 + min(pitches) >= instrument.low + 7:  # not at the top of the range where there is room
        tonic -= 12
    events = []
    for note in section.melody:
        pieces = [(note.pitch, note.duration)]
        if note.duration >= 1 and rng.random() < rendition.ornaments:
            turn = ORNAMENT_QUARTERS
            above = next_in_scale(note.pitch, work.mode)
            pieces = [(note.pitch, turn), (above, turn), (note.pitch, note.duration - 2 * turn)]
        onset = note.onset
        for pitch, duration in pieces:
            events.append(Event(onset, duration * LEGATO, tonic + pitch, MELODY_VELOCITY))
            onset += duration
    return events


def _played(
    rng: np.random.Generator,
    events: list[Event],
    style: Style,
    quarter_seconds: float,
    beat_quarters: float,
    seconds: float,
) -> tuple[Note, ...]:
    """Quarters to seconds, with swing and a human unevenness; what begins after the end is left out."""
    unevenness = rng.standard_normal((len(events), 2))
    notes = []
    for event, (late, hard) in zip(events, unevenness, strict=True):
        swing = style.swing if beat_quarters == 1 else 0.5
        onset = max(0.0, _swung(event.onset, swing) * quarter_seconds + TIMING_SECONDS * late)
        end = _swung(event.onset + event.duration, swing) * quarter_seconds
        accent = ACCENT if event.onset % 1 == 0 else PLAIN
        velocity = min(120, max(20, round(event.velocity + accent + VELOCITY_STEPS * float(hard))))
        if onset < seconds:
            notes.append(Note(float(onset), float(max(0.05, end - onset)), int(event.pitch), velocity))
    return tuple(sorted(notes))


def _swung(quarters: float, swing: float) -> float:
    """A place in the bar with the beat's halves of unequal length."""
    beat, within = divmod(quarters, 1)
    return beat + (2 * swing * within if within < 0.5 else swing + 2 * (1 - swing) * (within - 0.5))
