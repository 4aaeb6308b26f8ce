"""The columns of transform.py in torch, for a GPU. B: tracks, N: samples, T: columns.

The same octaves, filters and frames as librosa.cqt (Schoerkhuber and Klapuri 2010); only the low-pass filter
between two octaves is torchaudio's instead of soxr's.
"""

from __future__ import annotations

import librosa
import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import resample

from .transform import MIN_SAMPLES, SETTINGS, CqtSettings, column_count

# as steep as resampy's kaiser_best, whose figures these are
LOW_PASS = {
    "lowpass_filter_width": 64, "rolloff": 0.9475937167399596,
    "resampling_method": "sinc_interp_kaiser", "beta": 14.769656459379492,
}  # fmt: skip


class DeviceCqt:
    """`cqt_columns` on a device.

    Args:
        device: where it is computed.
        settings: as there.
    """

    def __init__(self, device: str, settings: CqtSettings = SETTINGS):
        self.device, self.settings = device, settings
        self._filters = [
            self._octave(octave).to(device) for octave in range(settings.bins // settings.bins_per_octave)
        ]

    def _octave(self, octave: int) -> Tensor:
        """Filters of an octave, 0 the highest, in the frequency domain: complex, (12, n_fft / 2 + 1)."""
        settings = self.settings
        per = settings.bins_per_octave
        bins = np.arange(per) + settings.bins - per * (octave + 1)
        rate = settings.sample_rate / 2**octave
        wavelets, lengths = librosa.filters.wavelet(freqs=settings.min_hz * 2 ** (bins / per), sr=rate)
        n_fft = wavelets.shape[1]
        # scaled as librosa does, by the square root of the length at the full rate
        scale = (lengths / n_fft * np.sqrt(2**octave) / np.sqrt(lengths * 2**octave))[:, None]
        return torch.from_numpy(np.fft.fft(wavelets * scale)[:, : n_fft // 2 + 1].astype(np.complex64))

    def __call__(self, wav: np.ndarray) -> np.ndarray:
        """A track of 16 kHz, float32, (N,) -> float32, (84, T)."""
        samples = torch.zeros(1, max(MIN_SAMPLES, len(wav)))
        samples[0, : len(wav)] = torch.from_numpy(wav)
        return self._means(self._magnitudes(samples.to(self.device)), len(wav))[0].cpu().numpy()

    def _magnitudes(self, wavs: Tensor) -> Tensor:
        """(B, N) -> (B, 84, 1 + N // hop)."""
        octaves, hop = [], self.settings.hop_samples
        for octave, filters in enumerate(self._filters):
            if octave:
                wavs = resample(wavs, 2, 1, **LOW_PASS) * np.sqrt(2)
                hop //= 2
            n_fft = 2 * (filters.shape[1] - 1)
            window = torch.ones(n_fft, device=wavs.device)
            spectrum = torch.stft(wavs, n_fft, hop, window=window, pad_mode="constant", return_complex=True)
            octaves.insert(0, (filters @ spectrum).abs())
        frames = min(own.shape[-1] for own in octaves)
        return torch.cat([own[..., :frames] for own in octaves], dim=1)

    def _means(self, magnitudes: Tensor, samples: int) -> Tensor:
        """The frames of each column averaged: (B, 84, frames) -> (B, 84, T)."""
        columns = np.arange(column_count(samples, self.settings) + 1)
        edges = torch.from_numpy(np.rint(self.settings.column_frames * columns).astype(int))
        edges = edges.to(magnitudes.device)
        sums = torch.nn.functional.pad(magnitudes.double().cumsum(dim=-1), (1, 0))[..., edges]
        return (sums.diff(dim=-1) / edges.diff()).float()
