"""The constant-Q spectrogram that the networks see, in the columns of the original features but from 16 kHz.

Source: gencqt.py of CQTNet and TPPNet takes |librosa.cqt| of 22,050 Hz audio with a hop of 512 and averages
20 frames. Here the hop is 256 at 16 kHz, and a column is the mean of the frames between round(29.025 k) and
round(29.025 (k + 1)), so that columns last just as long. T: columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import librosa
import numpy as np

from s3prl_pemr.audio import SAMPLE_RATE

from .columns import BINS, SECONDS

# 1.024 s, two columns. The lowest octave is filtered at a 64th of the rate with an FFT of 256 points.
MIN_SAMPLES = 16_384
# A recording of hours is computed 20 minutes at a time, with 8 s on both sides: more than the lowest filters
# and the low-pass filters before them hear. Frames begin at multiples of 256 samples, which the six halvings
# of the rate leave whole.
PIECE_COLUMNS, CONTEXT_FRAMES = 2_584, 500
PEAK_OFFSET = 1e-6  # cqt_loader.py of CQTNet


@dataclass(frozen=True)
class CqtSettings:
    """Everything that decides the features; a cache and a checkpoint keep it."""

    sample_rate: int = SAMPLE_RATE
    hop_samples: int = 256
    bins: int = BINS
    bins_per_octave: int = 12
    min_hz: float = 32.703  # C1
    column_seconds: float = SECONDS
    version: int = 1  # of this file's arithmetic

    @property
    def column_frames(self) -> float:
        """29.025: how many frames a column lasts."""
        return self.column_seconds * self.sample_rate / self.hop_samples


SETTINGS = CqtSettings()


def column_count(length_samples: int, settings: CqtSettings = SETTINGS) -> int:
    """Columns of a track, at least two; what is left at its end is dropped, as gencqt.py does."""
    frames = 1 + max(length_samples, MIN_SAMPLES) // settings.hop_samples
    columns = int(frames / settings.column_frames)
    return columns + (round(settings.column_frames * (columns + 1)) <= frames)


def cqt_columns(wav: np.ndarray, settings: CqtSettings = SETTINGS) -> np.ndarray:
    """Mean CQT magnitudes of a whole track.

    Args:
        wav: float32, (samples,), 16 kHz; what is shorter than MIN_SAMPLES ends in silence.
        settings: of the transform.

    Returns: float32, (84, T), T = column_count(samples).
    """
    wav = np.pad(wav, (0, max(MIN_SAMPLES - len(wav), 0)))
    edges = np.rint(settings.column_frames * np.arange(column_count(len(wav), settings) + 1)).astype(int)
    pieces = range(0, len(edges) - 1, PIECE_COLUMNS)
    return np.concatenate(
        [_piece(wav, edges[at : at + PIECE_COLUMNS + 1], settings) for at in pieces], axis=1
    )


def _piece(wav: np.ndarray, edges: np.ndarray, settings: CqtSettings) -> np.ndarray:
    """The columns between these frames, (84, len(edges) - 1), from the samples that they hear."""
    first = max(edges[0] - CONTEXT_FRAMES, 0)
    last = edges[-1] + CONTEXT_FRAMES
    magnitudes = np.abs(
        librosa.cqt(
            wav[first * settings.hop_samples : last * settings.hop_samples],
            sr=settings.sample_rate,
            hop_length=settings.hop_samples,
            fmin=settings.min_hz,
            n_bins=settings.bins,
            bins_per_octave=settings.bins_per_octave,
        )
    )
    own = edges - first
    sums = np.add.reduceat(magnitudes[:, : own[-1]], own[:-1], axis=1, dtype=np.float64)
    return (sums / np.diff(own)).astype(np.float32)


def by_peak(columns: np.ndarray) -> np.ndarray:
    """Divided by the track's largest magnitude: any float (84, T) -> [0, 1]; silence stays zero."""
    return columns / (columns.max() + PEAK_OFFSET)
