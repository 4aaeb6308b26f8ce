"""Chords, voicings, patterns and tags, against values worked out by hand."""

import pytest

from s3prl_pemr.demo.music.score import Note, Part, Score
from s3prl_pemr.demo.music.styles import METRES, STEPS_PER_QUARTER, instruments, patterns, styles
from s3prl_pemr.demo.music.theory import (
    chord_tones,
    close_voicing,
    nearest_tone,
    next_in_scale,
    root_position,
    scale_pitch,
)
from s3prl_pemr.demo.tags import all_tags, tags_of


@pytest.mark.parametrize(
    ("symbol", "mode", "tones"),
    [
        ("I", "major", (0, 4, 7)),
        ("vi", "major", (9, 12, 16)),
        ("V7", "minor", (7, 11, 14, 17)),  # its third is the raised leading tone
        ("VII", "minor", (10, 14, 17)),
        ("VII", "major", (10, 14, 17)),
        ("IVmaj7", "major", (5, 9, 12, 16)),
    ],
)
def test_chords(symbol, mode, tones):
    assert chord_tones(symbol, mode) == tones


def test_a_chord_that_is_none():
    with pytest.raises(ValueError, match="'IIII' is not a chord"):
        chord_tones("IIII", "major")


def test_pitches():
    assert [scale_pitch(step, "minor") for step in (-1, 0, 2, 7, 9)] == [-2, 0, 3, 12, 15]
    assert nearest_tone(6, (0, 4, 7)) == 7 and nearest_tone(-2, (0, 4, 7)) == 0
    assert nearest_tone(2, (0, 4, 7)) == 0  # of two as near, the lower
    assert next_in_scale(4, "major") == 5 and next_in_scale(0, "minor") == 2
    # A minor (A C E) from C up: C E A; the root at its lowest from 28 (E1) is A1 = 33.
    assert close_voicing([57, 60, 64], 48) == [48, 52, 57]
    assert root_position([57, 60, 64], 28) == [33, 36, 40]


def test_the_tables_fit_together():
    for style in styles().values():
        for metre in style.metres:
            steps = METRES[metre].bar_quarters * STEPS_PER_QUARTER
            for role in ("solo", "chords", "pad", "bass"):
                for instrument, pattern in getattr(style, role).items():
                    assert instrument in instruments()
                    assert len(patterns("pitched")[pattern][metre]) == steps, (pattern, metre)
            if style.drums:
                assert {len(line) for line in patterns("drums")[style.drums][metre].values()} == {steps}
        assert set(style.lead) <= set(instruments())
        for symbols in (*style.major, *style.minor):
            assert all(chord_tones(symbol, "major") for symbol in symbols.split())
        for lineup in style.lineups:
            assert all(role == "drums" or getattr(style, role) for role in lineup)


def test_tags_follow_from_the_notes():
    def part(instrument, role, onset):
        return Part(instrument, role, (Note(onset, 0.5, 60, 80),))

    parts = (part("sax", "lead", 1.0), part("double bass", "bass", 2.0), part("drums", "drums", 12.0))
    score = Score("jazz", "minor", "6/8", 100.0, 0, 20.0, parts, (("A", 0.0),))
    common = {"minor", "compound metre", "medium tempo", "jazz"}
    assert tags_of(score, 0, 10) == common | {"sax", "bass", "no drums"}
    assert tags_of(score, 10, 20) == common | {"drums", "solo"}
    assert tags_of(score, 0, 20) <= set(all_tags())
    assert len(all_tags()) == len(set(all_tags())) == 45
