"""Invented titles and performers."""

import itertools

import numpy as np

_ADJECTIVES = (
    *("Broken", "Crooked", "Distant", "Early", "Frozen", "Gentle", "Golden", "Hidden", "Hollow", "Lonely"),
    *("Midnight", "Northern", "Open", "Paper", "Restless", "Silver", "Wandering", "Winter"),
)
_NOUNS = (
    *("Bridge", "Garden", "Harbour", "Island", "Lantern", "Letter", "Mirror", "Morning", "Mountain"),
    *("Orchard", "River", "Road", "Shadow", "Station", "Summer", "Tide", "Valley", "Window"),
)
_GROUPS = (
    "Band",
    "Brothers",
    "Club",
    "Collective",
    "Orchestra",
    "Players",
    "Project",
    "Sisters",
    "Society",
    "Trio",
)


def titles(seed: int) -> list[str]:
    """Every title once, in an order drawn by the seed."""
    return _shuffled(
        [f"{adjective} {noun}" for adjective, noun in itertools.product(_ADJECTIVES, _NOUNS)], seed
    )


def performers(seed: int) -> list[str]:
    """Every performer once, in an order drawn by the seed."""
    return _shuffled([f"{noun} {group}" for noun, group in itertools.product(_NOUNS, _GROUPS)], seed)


def slug(name: str) -> str:
    """A name as the data sets write it in file names: `Paper Road` is paper_road."""
    return name.lower().replace(" ", "_")


def _shuffled(names: list[str], seed: int) -> list[str]:
    order = np.random.default_rng([seed, len(names)]).permutation(len(names))
    return [names[i] for i in order]
