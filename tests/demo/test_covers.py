"""A rendition keeps its work's tune and chords, and differs in the rest."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from demo_excerpts import RATE, chroma

from s3prl_pemr.demo import covers
from s3prl_pemr.demo.music.render import render
from s3prl_pemr.demo.music.styles import METRES

FIRST_WORKS = 5
FRAMES = 64


@pytest.fixture(scope="module")
def works():
    return [covers.draw_covers((5, work), "Title", 3, "") for work in range(FIRST_WORKS)]


def section_chroma(cover):
    """Section A as this rendition plays it, (12, frames), as many frames whatever its tempo."""
    metre = METRES[cover.work.metre]
    quarters = len(cover.work.sections["A"].chords) * metre.bar_quarters
    seconds = quarters * 60 / cover.rendition.beats_per_minute / metre.beat_quarters
    alone = replace(cover, rendition=replace(cover.rendition, form="A", seconds=seconds))
    frames = chroma(render(alone.score(), RATE))
    edges = np.linspace(0, frames.shape[1], FRAMES + 1).round().astype(int)
    return np.stack([frames[:, a:b].mean(axis=1) for a, b in itertools.pairwise(edges)], axis=1)


def likeness(one, other):
    """Correlation of two sections in the transposition that fits best."""
    return max(np.corrcoef(np.roll(one, k, axis=0).ravel(), other.ravel())[0, 1] for k in range(12))


def test_renditions_of_a_work_are_more_alike_than_others(works):
    sections = [
        (number, section_chroma(cover)) for number, versions in enumerate(works) for cover in versions[:2]
    ]
    # The best match of each rendition among the other nine is its own work's other one; by chance 1 in 9.
    right = 0
    for i, (work, one) in enumerate(sections):
        scores = [-1 if i == j else likeness(one, other) for j, (_, other) in enumerate(sections)]
        right += sections[int(np.argmax(scores))][0] == work
    assert right >= 8


def tune(cover):
    """The lead's intervals in section A, ornaments left out."""
    plain = replace(cover, rendition=replace(cover.rendition, ornaments=0.0, form="A"))
    notes = next(part for part in plain.score().parts if part.role == "lead").notes
    return np.diff([note.pitch for note in notes[: len(cover.work.sections["A"].melody)]])


def test_a_rendition_keeps_the_tune_and_changes_the_rest(works):
    tunes = []
    for versions in works:
        led = [cover for cover in versions if "lead" in {part.role for part in cover.score().parts}]
        np.testing.assert_array_equal(tune(led[0]), tune(led[-1]))
        tunes.append(tuple(tune(led[0])))
        for field in ("style", "tonic", "form", "beats_per_minute", "players", "seconds"):
            assert len({getattr(cover.rendition, field) for cover in versions}) == len(versions), field
        assert all(60 <= cover.rendition.seconds <= 75 for cover in versions)
    assert len(set(tunes)) == len(works)
