"""Log-mel spectrogram, normalised per mel bin (paper 3.2). B: clips, N: samples, T: frames, F: mel bins."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
import torchaudio
from s3prl.upstream.adapter.full_precision import FullPrecision
from torch import Tensor

# Used until a training store has been measured (`pemr_random`): see `default_statistics`.
DEFAULT_MEAN = -6.0
DEFAULT_STD = 3.0


@dataclass
class FrontendConfig:
    """Log-mel spectrogram (paper 3.2, 4.1.3)."""

    sample_rate: int = 16_000  # our choice: s3prl's contract
    n_fft: int = 256
    hop_samples: int = 128  # 8 ms
    n_mels: int = 128
    log_offset: float = 1e-6  # our choice: keeps digital silence finite
    std_floor: float = 0.1  # our choice, nats: mel filters without a bin are constant

    def __post_init__(self):
        if min(self.sample_rate, self.n_fft, self.hop_samples, self.n_mels) < 1:
            raise ValueError("sample_rate, n_fft, hop_samples and n_mels must be at least 1")
        if self.hop_samples > self.n_fft // 2:
            raise ValueError(
                f"hop_samples {self.hop_samples} leaves samples out: at most n_fft / 2 = {self.n_fft // 2}"
            )
        if self.log_offset <= 0 or self.std_floor <= 0:
            raise ValueError(
                "log_offset and std_floor must be above 0: silence and empty filters divide by them"
            )


def frame_count(samples: int | Tensor, hop_samples: int) -> int | Tensor:
    """Number of frames of a clip: exactly ceil(samples / hop_samples)."""
    return (samples + hop_samples - 1) // hop_samples


def mel_filters(config: FrontendConfig) -> Tensor:
    """Slaney mel filters, (n_fft / 2 + 1, n_mels).

    With the paper's FFT of 256 points a bin is 62.5 Hz wide and the lowest filters are 23 Hz apart: 13 of 128
    hold no bin (their channel is the constant log(log_offset), which normalisation turns into zeros) and 55
    hold one, of which 44 are 22 pairs on the same bin: one channel twice, to a factor. The matrix has rank
    88, its last direction 2e-5 of the first. With 512 points none is empty, 25 hold one bin, no two share
    theirs and the rank is 116; frames and hop stay.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="At least one mel filterbank has all zero values")
        return torchaudio.functional.melscale_fbanks(
            n_freqs=config.n_fft // 2 + 1,
            f_min=0.0,
            f_max=config.sample_rate / 2,
            n_mels=config.n_mels,
            sample_rate=config.sample_rate,
            norm="slaney",
            mel_scale="slaney",
        )


def default_statistics(config: FrontendConfig, filters: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (F,), in nats, for a model that has seen no data.

    One constant for all bins, rounded from 299 Bach chorales rendered with a General MIDI sound font (-5.9,
    2.7 per bin); an empty filter is centred on its constant, so that it too is neutral.
    """
    mean = torch.full((config.n_mels,), DEFAULT_MEAN)
    mean[filters.sum(dim=0) == 0] = torch.tensor(config.log_offset).log()
    return mean, torch.full((config.n_mels,), DEFAULT_STD)


class LogMel(FullPrecision):
    """Waveforms to normalised log-mel frames, in which 0 is the neutral value that a mask writes.

    In float32, also where the model around it was cast to half precision.
    """

    def __init__(self, config: FrontendConfig):
        super().__init__()
        self.config = config
        filters = mel_filters(config)
        mean, std = default_statistics(config, filters)
        self.register_buffer("filters", filters, persistent=False)
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def fill_constants(self) -> None:
        """Filters and window anew: what no file holds, and what loaders of other libraries leave empty."""
        self.filters.copy_(mel_filters(self.config))
        self.window.copy_(torch.hann_window(self.config.n_fft))

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Set the mean and standard deviation (F,) of the training store; std is floored (no 0/0)."""
        self.mean.copy_(mean)
        self.std.copy_(std.clamp(min=self.config.std_floor))

    def log_mel(self, wavs: Tensor) -> Tensor:
        """Raw log-mel, log(power + log_offset): (B, N) in [-1, 1] -> (B, ceil(N / hop_samples), F).

        Frame t is centred on sample t * hop_samples; outside the clip the signal is zero, so that zeros
        padded behind it change nothing. Always computed in float32.
        """
        with torch.autocast(wavs.device.type, enabled=False):
            spectrum = torch.stft(
                wavs.float(),
                n_fft=self.config.n_fft,
                hop_length=self.config.hop_samples,
                window=self.window,
                center=True,
                pad_mode="constant",
                return_complex=True,
            )  # (B, n_fft / 2 + 1, 1 + N // hop)
            spectrum = spectrum[..., : frame_count(wavs.shape[-1], self.config.hop_samples)]
            power = torch.view_as_real(spectrum).square().sum(dim=-1)
            return torch.log(power.transpose(1, 2) @ self.filters + self.config.log_offset)

    def forward(self, wavs: Tensor) -> Tensor:
        """(B, N) in [-1, 1] -> normalised log-mel (B, ceil(N / hop_samples), F)."""
        return (self.log_mel(wavs) - self.mean) / self.std
