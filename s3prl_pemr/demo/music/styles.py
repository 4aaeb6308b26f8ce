"""The tables that the composer draws from: styles.yaml, instruments.yaml and patterns.yaml as dataclasses."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

STEPS_PER_QUARTER = 4  # of the patterns


@dataclass(frozen=True)
class Metre:
    """A bar and its beat, both in quarters, and its tag."""

    bar_quarters: float
    beat_quarters: float
    tag: str


@dataclass(frozen=True)
class Instrument:
    """A sound: its General MIDI program (None: drums), range in MIDI keys, and tags.

    `other` is another program of the same tags, of drums another kit; None where the font has none.
    """

    program: int | None
    low: int
    high: int
    tags: tuple[str, ...]
    other: int | None = None


@dataclass(frozen=True)
class Style:
    """How a kind of music is written and played; the fields are explained in styles.yaml."""

    metres: tuple[str, ...]
    tempi: tuple[str, ...]
    swing: float
    activity: float
    drums: str | None
    lineups: tuple[tuple[str, ...], ...]
    solo: dict[str, str]
    lead: tuple[str, ...]
    chords: dict[str, str]
    pad: dict[str, str]
    bass: dict[str, str]
    major: tuple[str, ...]
    minor: tuple[str, ...]

    def progressions(self, mode: str) -> tuple[str, ...]:
        """Chord progressions of a mode."""
        return self.major if mode == "major" else self.minor


METRES = {
    "4/4": Metre(4, 1, "duple metre"),
    "3/4": Metre(3, 1, "triple metre"),
    "6/8": Metre(3, 1.5, "compound metre"),
}
# Beats a minute. The gaps leave no piece between two classes.
TEMPI = {"slow": (60, 76), "medium": (92, 112), "fast": (132, 164)}
TEMPO_TAGS = {"slow": "slow", "medium": "medium tempo", "fast": "fast"}


def _table(name: str) -> dict:
    return yaml.safe_load((Path(__file__).parent / name).read_text(encoding="utf-8"))


@cache
def instruments() -> dict[str, Instrument]:
    """Every instrument by name."""
    table = _table("instruments.yaml")
    return {name: Instrument(**{**row, "tags": tuple(row["tags"])}) for name, row in table.items()}


@cache
def styles() -> dict[str, Style]:
    """Every style by name, in the order of the tags."""
    return {
        name: Style(**{key: tuple(cell) if isinstance(cell, list) else cell for key, cell in row.items()})
        for name, row in _table("styles.yaml").items()
    }


@cache
def patterns(kind: str) -> dict[str, dict]:
    """Patterns by name, then metre: strings for the kind `pitched`, a string by drum for `drums`."""
    return _table("patterns.yaml")[kind]
