"""Blocks of many channels and any rate become one channel of the wanted rate, a part at a time."""

from pathlib import Path

import numpy as np
import soxr

from .plausible import MOST_HOURS, implausible_rate, most_seconds
from .unreadable import UnreadableAudio

MIXED_SAMPLES = 1 << 18  # of all channels, at a time: a decoder's blocks may be far shorter


class Mixer:
    """Averages channels and resamples; refuses what no recording is.

    Args:
        path: of the file, for the errors.
        size_bytes: of the file: what it can hold.
        sample_rate: of the result, Hz.
    """

    def __init__(self, path: Path, size_bytes: int, sample_rate: int):
        self.path, self.size_bytes, self.sample_rate = path, size_bytes, sample_rate
        self.rate = 0  # of the file; 0 before the first block
        self._frames = self._bad = 0
        self._mono_energy = self._channel_energy = 0.0
        self._waiting: list[np.ndarray] = []
        self._waiting_samples = 0
        self._done: list[np.ndarray] = []

    @property
    def seconds(self) -> float:
        """How much was added so far."""
        return self._frames / self.rate if self.rate else 0.0

    @property
    def mono_share(self) -> float:
        """Energy of the mean over the mean energy of the channels: 1 where all are alike, 0 in antiphase."""
        return self._mono_energy / self._channel_energy if self._channel_energy else 1.0

    def add(self, rate: int, block: np.ndarray) -> None:
        """Takes float32, (frames, channels). Raises UnreadableAudio."""
        self._check(rate, len(block))
        if self._waiting and self._waiting[0].shape[1] != block.shape[1]:
            self._mix(last=False)
        self._waiting.append(block)
        self._waiting_samples += block.size
        if self._waiting_samples >= MIXED_SAMPLES:
            self._mix(last=False)

    def finish(self) -> np.ndarray:
        """All that was added: float32, (samples,). Raises UnreadableAudio."""
        if self._frames:
            self._mix(last=True)
        if self._bad:
            raise UnreadableAudio(self.path, f"{self._bad} of {self._frames} samples are NaN or infinite")
        wav = np.concatenate(self._done) if self._done else np.zeros(0, np.float32)
        if len(wav) == 0:
            raise UnreadableAudio(self.path, "holds no samples")
        return wav

    def _check(self, rate: int, frames: int) -> None:
        if not self.rate:
            reason = implausible_rate(rate)
            if reason:
                raise UnreadableAudio(self.path, reason)
            self.rate = rate
            self._stream = soxr.ResampleStream(rate, self.sample_rate, 1, dtype="float32")
        elif rate != self.rate:
            reason = (
                f"its rate changes from {self.rate} to {rate} Hz after {self.seconds:.1f} s; split it there"
            )
            raise UnreadableAudio(self.path, reason)
        self._frames += frames
        if self.seconds > MOST_HOURS * 3600:
            raise UnreadableAudio(self.path, f"longer than {MOST_HOURS} hours; split it")
        if self.seconds > most_seconds(self.size_bytes, rate):
            reason = f"more than {self.seconds:.0f} s in {self.size_bytes:,} bytes, which no codec can"
            raise UnreadableAudio(self.path, f"damaged: {reason}")

    def _mix(self, last: bool) -> None:
        wav = np.zeros(0, np.float32)
        if self._waiting:
            block = self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting)
            channels = block.shape[1]
            wav = block[:, 0] if channels == 1 else block.mean(axis=1)
            self._mono_energy += float(np.vdot(wav, wav))
            self._channel_energy += float(np.vdot(block, block)) / channels
            self._waiting, self._waiting_samples = [], 0
        if not np.isfinite(wav).all():
            self._bad += int(np.count_nonzero(~np.isfinite(wav)))
        if self.rate != self.sample_rate and not self._bad:
            wav = self._stream.resample_chunk(wav, last=last)
        self._done.append(wav)
