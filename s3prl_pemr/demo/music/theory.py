"""Pitch: scales, chord symbols and voicings. A pitch is a MIDI key; intervals are in semitones."""

import re

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII")
_SYMBOL = re.compile(r"([IV]+|[iv]+)(7|maj7)?")
# In major, the chord VII is the one a whole tone below the tonic (I VII IV), not on the leading tone.
_LOWERED = {("major", "VII"): 10}


def chord_tones(symbol: str, mode: str) -> tuple[int, ...]:
    """Semitones above the tonic of a chord: root, third, fifth and perhaps seventh.

    Upper case is a major triad, lower case a minor one, on that degree of the mode's (natural minor) scale;
    `7` adds a minor seventh, `maj7` a major one.

    Raises:
        ValueError: the symbol is not a Roman numeral of these.
    """
    match = _SYMBOL.fullmatch(symbol)
    if match is None or match[1].upper() not in NUMERALS:
        raise ValueError(f"{symbol!r} is not a chord: I ... VII, i ... vii, perhaps with 7 or maj7")
    numeral, seventh = match.groups()
    root = _LOWERED.get((mode, numeral), SCALES[mode][NUMERALS.index(numeral.upper())])
    intervals = (0, 4 if numeral.isupper() else 3, 7) + {None: (), "7": (10,), "maj7": (11,)}[seventh]
    return tuple(root + interval for interval in intervals)


def scale_pitch(step: int, mode: str) -> int:
    """Semitones above the tonic of a step of the scale: 0 is the tonic, 7 the one above it, -1 below."""
    octave, degree = divmod(step, 7)
    return 12 * octave + SCALES[mode][degree]


def nearest_tone(pitch: int, tones: tuple[int, ...]) -> int:
    """The pitch nearest to `pitch` that is one of the tones in some octave; the lower of two."""
    candidates = (pitch + (tone - pitch + 6) % 12 - 6 for tone in tones)
    return min(candidates, key=lambda candidate: (abs(candidate - pitch), candidate))


def next_in_scale(pitch: int, mode: str) -> int:
    """The first pitch above that is in the scale; pitches count from the tonic."""
    return next(above for above in (pitch + 1, pitch + 2, pitch + 3) if above % 12 in SCALES[mode])


def close_voicing(tones: list[int], lowest: int) -> list[int]:
    """Each tone at its lowest pitch not below `lowest`, rising: the voices move little between chords."""
    return sorted(lowest + (tone - lowest) % 12 for tone in tones)


def root_position(tones: list[int], lowest: int) -> list[int]:
    """The root at its lowest pitch not below `lowest`, the other tones above it."""
    root = lowest + (tones[0] - lowest) % 12
    return [root + (tone - tones[0]) % 12 for tone in tones]
