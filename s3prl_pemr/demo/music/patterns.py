"""From the patterns of patterns.yaml to events: accompaniment over chords, bass lines and drums."""

from typing import NamedTuple

from .styles import METRES, STEPS_PER_QUARTER, Instrument, patterns
from .theory import close_voicing, root_position

DRUM_KEYS = {  # General MIDI
    **{"kick": 36, "stick": 37, "snare": 38, "clap": 39, "hat": 42, "pedal hat": 44, "open hat": 46},
    **{"crash": 49, "ride": 51, "tambourine": 54},
}
TOM_KEYS = (50, 48, 47, 45)
DRUM_VELOCITIES = {"X": 108, "x": 84, "o": 56}
DRUM_QUARTERS = 0.25
PITCHED_VELOCITY = 78
FILL_BARS = 4  # a fill ends every so many bars


class Event(NamedTuple):
    """A note to be played: quarters from the section's start, MIDI key and velocity."""

    onset: float
    duration: float
    pitch: int
    velocity: int


def chord_events(
    pattern: str, metre: str, chords: list[list[int]], instrument: Instrument, role: str
) -> list[Event]:
    """A pitched pattern over one chord a bar; a chord's tones are pitches in any octave, root first."""
    steps, bar_quarters = patterns("pitched")[pattern][metre], METRES[metre].bar_quarters
    events = []
    for bar, tones in enumerate(chords):
        lowest = instrument.low
        voicing = root_position(tones, lowest) if role == "bass" else close_voicing(tones, lowest)
        root = root_position(tones, lowest)[0]
        pitches = {
            "c": voicing,
            "p": [root, root + 7],
            **{digit: [pitch] for digit, pitch in zip("135", voicing, strict=False)},
            "8": [voicing[0] + 12],
        }
        for i, step in enumerate(steps):
            if step in pitches:
                held = len(steps[i + 1 :]) - len(steps[i + 1 :].lstrip("-")) + 1
                onset = bar * bar_quarters + i / STEPS_PER_QUARTER
                events += [
                    Event(onset, held / STEPS_PER_QUARTER, pitch, PITCHED_VELOCITY) for pitch in pitches[step]
                ]
    return events


def drum_events(pattern: str, metre: str, bars: int) -> list[Event]:
    """A drum pattern with a crash at the start and fills on the toms in the last beat before a new phrase."""
    bar_quarters = METRES[metre].bar_quarters
    events = [Event(0, DRUM_QUARTERS, DRUM_KEYS["crash"], DRUM_VELOCITIES["x"])]
    for bar in range(bars):
        fill_from = bar_quarters - 1 if bar % FILL_BARS == FILL_BARS - 1 else bar_quarters
        for drum, steps in patterns("drums")[pattern][metre].items():
            for i, step in enumerate(steps):
                within = i / STEPS_PER_QUARTER
                if step in DRUM_VELOCITIES and (within < fill_from or drum == "kick"):
                    onset, velocity = bar * bar_quarters + within, DRUM_VELOCITIES[step]
                    events.append(Event(onset, DRUM_QUARTERS, DRUM_KEYS[drum], velocity))
        if fill_from < bar_quarters:
            start = bar * bar_quarters + fill_from
            fill = enumerate(TOM_KEYS)
            events += [
                Event(start + i / STEPS_PER_QUARTER, DRUM_QUARTERS, key, DRUM_VELOCITIES["x"])
                for i, key in fill
            ]
    return events
