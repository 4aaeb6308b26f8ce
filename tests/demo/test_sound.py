"""What the tags and the plan promise, measured in the rendered sound.

Thresholds are reasoned from the definitions; where one is a choice, the comment says so.
"""

import functools

import numpy as np
import pytest
from demo_excerpts import HOP, RATE, chroma, excerpts, onset_strength
from symusic.core import NoteSecond, NoteSecondList, ScoreSecond, TrackSecond

from s3prl_pemr.demo.music.font import synthesizer
from s3prl_pemr.demo.music.render import CEILING, soft_limited, stems
from s3prl_pemr.demo.music.score import Note, Part, Score
from s3prl_pemr.demo.music.styles import TEMPI, instruments

# Correlations of Krumhansl & Kessler (1982), the ratings of the 12 tones in a major and a minor key.
MAJOR_PROFILE = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR_PROFILE = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
ONE_PART = functools.partial(Score, "pop", "major", "4/4", 100.0, 0, 1.5, sections=())


def level_db(wav):
    return 10 * np.log10(np.mean(np.square(wav, dtype=np.float64)) + 1e-12)


# Those with vibrato have no one pitch: nearer to A than to any other key.
@pytest.mark.parametrize(
    ("name", "cents"),
    [("piano", 30), ("organ", 30), ("acoustic guitar", 30), ("violin", 50), ("trumpet", 50)],
)
def test_a4_sounds_at_440_hz(name, cents):
    track = TrackSecond("", instruments()[name].program, False)
    track.notes = NoteSecondList([NoteSecond(0.0, 2.0, 69, 100)])
    score = ScoreSecond(480)
    score.tracks.append(track)
    wav = np.ravel(synthesizer(RATE).render(score, stereo=False))[:RATE]
    spectrum = np.abs(np.fft.rfft(wav * np.hanning(len(wav)), 16 * RATE))  # bins of 1 / 16 Hz
    # The fundamental, or, where it is weak, an overtone: the highest peak within a semitone of each of them.
    frequencies = np.arange(len(spectrum)) / 16
    peaks = {}
    for partial in (1, 2, 3):
        near = np.abs(12 * np.log2(np.maximum(frequencies, 1) / (440 * partial))) < 1
        peak = np.argmax(np.where(near, spectrum, 0))
        peaks[spectrum[peak]] = frequencies[peak] / partial
    assert abs(1200 * np.log2(peaks[max(peaks)] / 440)) < cents


def test_other_sounds_are_other_samples_of_the_same_loudness():
    for name, instrument in instruments().items():
        key = (instrument.low + instrument.high) // 2
        part = Part(name, "lead", (Note(0.0, 1.0, key, 100),))
        one, other = (stems(ONE_PART((part,)), RATE, sounds)[0] for sounds in (False, True))
        assert np.array_equal(one, other) is (instrument.other is None), name
        assert abs(level_db(one) - level_db(other)) < 0.1


def test_a_part_has_a_synthesizer_of_its_own():
    """One that has played a key goes on to play it in that way: half of a corpus was not the same again."""
    piano = instruments()["piano"]

    def played(player, program, note):
        track = TrackSecond("", program, False)
        track.notes = NoteSecondList([note])
        score = ScoreSecond(480)
        score.tracks.append(track)
        return np.ravel(player.render(score, stereo=False))[:RATE]

    loud, used = NoteSecond(0.0, 0.6, 55, 94), synthesizer(RATE)
    played(used, piano.other, NoteSecond(0.2, 0.2, 55, 77))
    fresh = played(synthesizer(RATE), piano.program, loud)
    assert not np.array_equal(played(used, piano.program, loud), fresh)
    part = Part("piano", "lead", (Note(0.0, 0.6, 55, 94),))
    (wav,) = stems(ONE_PART((part,)), RATE)
    ratio = np.abs(wav[: len(fresh)]).max() / np.abs(fresh).max()
    np.testing.assert_allclose(wav[: len(fresh)], fresh * ratio, atol=1e-6)


def test_soft_limiter():
    wav = np.linspace(-5, 5, 1001)
    limited = soft_limited(wav)
    assert np.abs(limited).max() <= np.float32(CEILING) and (np.diff(limited) >= 0).all()
    np.testing.assert_array_equal(limited[np.abs(wav) < 0.6], wav[np.abs(wav) < 0.6].astype(np.float32))


def test_levels_and_no_silence():
    levels = []
    for excerpt in excerpts():
        assert np.isfinite(excerpt.wav).all() and np.abs(excerpt.wav).max() < 1
        windows = excerpt.wav[: len(excerpt.wav) // 1600 * 1600].reshape(-1, 1600)  # 0.1 s
        quiet = "".join("q" if level_db(window) < -60 else "." for window in windows)
        assert "q" * 11 not in quiet, excerpt.score.style  # 11 windows: more than 1 s
        levels.append(level_db(excerpt.wav))
    assert max(levels) - min(levels) < 6


def test_every_player_is_heard():
    # -17 dB of the whole, a choice: a part 17 dB below a mix in its own frequency range is near masking.
    for excerpt in excerpts():
        energies = np.array([np.sum(np.square(stem, dtype=np.float64)) for stem in excerpt.stems])
        assert (energies / energies.sum() > 0.02).all(), excerpt.score.style


def test_drums_raise_the_onsets():
    with_drums = [excerpt for excerpt in excerpts() if "drums" in {part.role for part in excerpt.score.parts}]
    assert len(with_drums) >= 10
    raised = [
        onset_strength(excerpt.wav).mean() > onset_strength(excerpt.without("drums")).mean()
        for excerpt in with_drums
    ]
    assert np.mean(raised) > 0.9


def test_the_mode_is_heard():
    """The key profile of the score's mode, at the score's tonic, fits better than the other mode's."""
    fits = []
    for excerpt in excerpts():
        tonic, mode = excerpt.score.tonic, excerpt.score.mode
        pitched = np.roll(chroma(excerpt.without("drums")).mean(axis=1), -tonic)
        profiles = {"major": MAJOR_PROFILE, "minor": MINOR_PROFILE}
        fit = {name: np.corrcoef(pitched, profile)[0, 1] for name, profile in profiles.items()}
        fits.append(max(fit, key=fit.get) == mode)
    assert sum(fits) >= 27  # of 36; by chance with a probability of 0.002


def salience(excerpt, tempi):
    """Autocorrelation of the onset strength, mean of its values at 1, 2 and 4 beats of each tempo."""
    strength = onset_strength(excerpt.wav)
    strength = strength - strength.mean()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(strength, 2 * len(strength))) ** 2)[: len(strength)]
    lags = np.arange(len(strength)) * HOP / RATE
    beats = 60 / np.asarray(tempi)
    return np.mean([np.interp(count * beats, lags, correlation) for count in (1, 2, 4)], axis=0)


def test_the_beat_is_heard():
    """The score's beat, or its double, third or half, is the best of all tempi: Gouyon's (2006) accuracy 2.

    Its tolerance is 4 %, so that a tempo drawn at random between 40 and 240 would be right about one time
    in four. The threshold is a choice.
    """
    tempi = np.arange(40, 240, 0.5)
    right = []
    for excerpt in excerpts():
        ratio = tempi[np.argmax(salience(excerpt, tempi))] / excerpt.score.beats_per_minute
        right.append(any(abs(ratio / factor - 1) < 0.04 for factor in (1 / 3, 1 / 2, 1, 2, 3)))
    assert np.mean(right) > 0.75


def test_tempo_classes_differ():
    """The class with the most salient tempo is the score's; half and double tempo are the rest."""
    right = []
    for excerpt in excerpts():
        best = {
            name: salience(excerpt, np.arange(low, high, 0.5)).max() for name, (low, high) in TEMPI.items()
        }
        low, high = TEMPI[max(best, key=best.get)]
        right.append(low <= excerpt.score.beats_per_minute <= high)
    assert sum(right) >= 20  # of 36; by chance, 1 in 3, with a probability of 0.005
