"""From a score to samples: each part synthesized, at its role's level, the mix at a common loudness."""

import numpy as np
import symusic
from symusic.core import NoteSecond, NoteSecondList, ScoreSecond

from .font import synthesizer
from .score import Part, Score
from .styles import instruments

# RMS of a part relative to the lead's: the tune in front, and every other part well above masking.
ROLE_LEVELS_DB = {"solo": 0, "lead": 0, "chords": -4, "pad": -5, "bass": -3, "drums": -3}
LOUDNESS_DBFS = -20.0  # RMS of a recording, re full scale
KNEE, CEILING = 0.6, 0.85  # peaks above the knee bend towards the ceiling; an mp3 overshoots by a little
FADE_SECONDS = 0.02, 1.0  # in, out


def render(score: Score, sample_rate: int, other_sounds: bool = False) -> np.ndarray:
    """The recording of a score: float32, (samples,), |x| < CEILING, LOUDNESS_DBFS loud.

    `other_sounds`: instruments have their other program where there is one.
    """
    mix = np.zeros(round(score.seconds * sample_rate), np.float32)
    for stem in stems(score, sample_rate, other_sounds):
        mix += stem
    return mastered(mix, sample_rate)


def stems(score: Score, sample_rate: int, other_sounds: bool = False) -> list[np.ndarray]:
    """Each part by itself at the level that it has in the mix: float32, (samples,) each; as `render`."""
    samples = round(score.seconds * sample_rate)
    return [
        _with_rms(_synthesized(part, sample_rate, samples, other_sounds), ROLE_LEVELS_DB[part.role])
        for part in score.parts
    ]


def mastered(mix: np.ndarray, sample_rate: int) -> np.ndarray:
    """The mix at the common loudness, softly limited, with short fades at both ends."""
    loud = soft_limited(_with_rms(mix, LOUDNESS_DBFS))
    for seconds, end in zip(FADE_SECONDS, (slice(None), slice(None, None, -1)), strict=True):
        ramp = np.linspace(0, 1, round(seconds * sample_rate), dtype=np.float32)
        loud[end][: len(ramp)] *= ramp
    return loud


def soft_limited(wav: np.ndarray) -> np.ndarray:
    """Samples above KNEE bent by a hyperbolic tangent, which never reaches CEILING; the rest unchanged."""
    over, room = np.abs(wav) - KNEE, CEILING - KNEE
    bent = np.copysign(KNEE + room * np.tanh(np.maximum(over, 0) / room), wav)
    return np.where(over > 0, bent, wav).astype(np.float32)


def _synthesized(part: Part, sample_rate: int, samples: int, other_sounds: bool) -> np.ndarray:
    instrument = instruments()[part.instrument]
    program = instrument.program or 0
    if other_sounds and instrument.other is not None:
        program = instrument.other
    track = symusic.core.TrackSecond(part.instrument, program, instrument.program is None)
    track.notes = NoteSecondList(
        [NoteSecond(note.onset, note.duration, note.pitch, note.velocity) for note in part.notes]
    )
    score = ScoreSecond(480)  # ticks per quarter, which a score in seconds does not use
    score.tracks.append(track)
    wav = np.asarray(synthesizer(sample_rate).render(score, stereo=False)).ravel()[:samples]
    return np.pad(wav, (0, samples - len(wav)))


def _with_rms(wav: np.ndarray, level_db: float) -> np.ndarray:
    rms = np.sqrt(np.mean(np.square(wav), dtype=np.float64))
    return (wav * (10 ** (level_db / 20) / max(rms, 1e-9))).astype(np.float32)
