"""A score: who plays which note when, in seconds, and what is known of the piece as a whole."""

from dataclasses import dataclass
from typing import NamedTuple


class Note(NamedTuple):
    """A note as it is played: seconds, MIDI key, MIDI velocity."""

    onset: float
    duration: float
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Part:
    """One player: an instrument (a key of `styles.instruments()`), its role and its notes by onset."""

    instrument: str
    role: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Score:
    """A piece; `sections` are (letter, start in seconds), `beats_per_minute` are of the metre's beats."""

    style: str
    mode: str
    metre: str
    beats_per_minute: float
    tonic: int
    seconds: float
    parts: tuple[Part, ...]
    sections: tuple[tuple[str, float], ...]
