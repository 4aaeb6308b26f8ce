"""A rendition: what may differ between two performances of one work."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .styles import TEMPI, Style

FORMS = ("ABAC", "AABA", "ABCB", "AABC")


@dataclass(frozen=True)
class Player:
    """An instrument in a role (`solo`, `lead`, `chords`, `pad`, `bass` or `drums`), with its pattern."""

    role: str
    instrument: str
    pattern: str = ""


@dataclass(frozen=True)
class Rendition:
    """One performance.

    `tonic` is a pitch class (0 is C); `form` is repeated until `seconds` are full; `ornaments` is the share
    of long melody notes that are embellished; `seed` draws them, and the small unevenness of every player.
    """

    style: str
    beats_per_minute: float
    tonic: int
    form: str
    ornaments: float
    players: tuple[Player, ...]
    seconds: float
    seed: tuple[int, ...]


def least_used(rng: np.random.Generator, choices: Iterable, used: Counter):
    """One of the choices used least so far, which is counted: so no tag stays rare."""
    chosen = min(choices, key=lambda choice: (used[choice], rng.random()))
    used[chosen] += 1
    return chosen


def draw_rendition(
    rng: np.random.Generator,
    style_name: str,
    style: Style,
    seconds: float,
    used: Counter,
    seed: tuple[int, ...],
) -> Rendition:
    """Draw a performance in a style; `used` counts over a split what was drawn before."""
    tempo = least_used(rng, style.tempi, used)
    lineup = style.lineups[least_used(rng, [(style_name, i) for i in range(len(style.lineups))], used)[1]]
    return Rendition(
        style=style_name,
        beats_per_minute=float(rng.uniform(*TEMPI[tempo])),
        tonic=int(rng.integers(12)),
        form=str(rng.choice(FORMS)),
        ornaments=float(rng.choice([0.0, 0.15, 0.3])),
        players=tuple(_players(rng, style, lineup, used)),
        seconds=seconds,
        seed=seed,
    )


def _players(
    rng: np.random.Generator, style: Style, lineup: Iterable[str], used: Counter
) -> Iterable[Player]:
    taken: set[str] = set()
    for role in lineup:
        if role == "drums":
            yield Player(role, "drums", style.drums)
            continue
        choices = getattr(style, role)
        free = [name for name in choices if name not in taken] or list(choices)
        instrument = least_used(rng, free, used)
        taken.add(instrument)
        yield Player(role, instrument, choices[instrument] if isinstance(choices, dict) else "")
