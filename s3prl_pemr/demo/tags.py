"""Tags that follow from the score: nothing is guessed, nothing is listened to."""

from s3prl_pemr.demo.music.score import Score
from s3prl_pemr.demo.music.styles import METRES, TEMPI, TEMPO_TAGS, instruments, styles

ENSEMBLE_PLAYERS = 4


def all_tags() -> list[str]:
    """Every tag, in the order of the annotations' columns."""
    sounds = dict.fromkeys(tag for instrument in instruments().values() for tag in instrument.tags)
    metres = [metre.tag for metre in METRES.values()]
    return [
        *sounds,
        *("no drums", "major", "minor"),
        *TEMPO_TAGS.values(),
        *metres,
        *("solo", "ensemble"),
        *styles(),
    ]


def tags_of(score: Score, start_seconds: float, end_seconds: float) -> set[str]:
    """The tags of a stretch of a score; an instrument plays in it where one of its notes begins in it."""
    playing = [
        part.instrument
        for part in score.parts
        if any(start_seconds <= note.onset < end_seconds for note in part.notes)
    ]
    return tags_for(playing, score.style, score.mode, score.metre, score.beats_per_minute)


def tags_for(playing: list[str], style: str, mode: str, metre: str, beats_per_minute: float) -> set[str]:
    """The tags of music by these players, each named by the instrument.

    `solo` is one player, `ensemble` is ENSEMBLE_PLAYERS or more. A tempo between two classes has no tag.
    """
    tags = {tag for name in playing for tag in instruments()[name].tags}
    tags |= {mode, style, METRES[metre].tag}
    tags |= {TEMPO_TAGS[name] for name, (low, high) in TEMPI.items() if low <= beats_per_minute <= high}
    if "drums" not in tags:
        tags.add("no drums")
    if len(playing) == 1:
        tags.add("solo")
    if len(playing) >= ENSEMBLE_PLAYERS:
        tags.add("ensemble")
    return tags
