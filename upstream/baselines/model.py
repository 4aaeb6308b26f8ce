"""Encoders of the baselines with their input. B: clips, N: samples, L: log-mel frames, F: mel bins."""

from __future__ import annotations

from dataclasses import dataclass, field

from s3prl.upstream.pemr.config import FrontendConfig
from s3prl.upstream.pemr.encoder import FCN4, POOLED_FRAMES
from s3prl.upstream.pemr.frontend import LogMel
from s3prl.upstream.pemr.long_tracks import encode_batch, encode_in_windows
from s3prl.upstream.taggers.sample_cnn import SampleCNN
from torch import Tensor, nn


@dataclass
class LogMelFCNConfig:
    """As in PEMR (paper 4.1.3: the encoders of all methods are the same)."""

    frontend: FrontendConfig = field(default_factory=FrontendConfig)
    encoder_channels: list[int] = field(default_factory=lambda: [64, 128, 128, 128])  # FCN-4

    def __post_init__(self):
        if len(self.encoder_channels) != 4:
            raise ValueError(f"encoder_channels needs 4 values, got {self.encoder_channels}")


class LogMelFCN(nn.Module):
    """PEMR's front end and encoder, without its transformer."""

    Config = LogMelFCNConfig

    def __init__(self, config: LogMelFCNConfig):
        super().__init__()
        self.config = config
        self.frontend = LogMel(config.frontend)
        self.encoder = FCN4(config.encoder_channels)
        self.output_dim = self.encoder.output_dim(config.frontend.n_mels)
        self.sample_rate = config.frontend.sample_rate
        self.samples_per_frame = config.frontend.hop_samples * POOLED_FRAMES

    def forward(self, wavs: Tensor, lengths: Tensor) -> Tensor:
        """Padded waveforms (B, N) and their lengths (B,) -> frames (B, ceil(N / 16384), 512)."""
        encode = encode_batch if self.training else encode_in_windows
        return encode(self.frontend, self.encoder, wavs, lengths)

    def inputs(self, wavs: Tensor) -> Tensor:
        """Waveforms (B, N) -> what the encoder takes: normalised log-mel (B, L, F)."""
        return self.frontend(wavs)


@dataclass
class WaveformConfig:
    """sample_rate: Hz; CLMR's is 22,050, ours s3prl's."""

    sample_rate: int = 16_000


class WaveformSampleCNN(nn.Module):
    """CLMR's encoder (paper 4.2.1): a frame of 512 values per 59,049 samples, 3.69 s."""

    Config = WaveformConfig
    frontend = None

    def __init__(self, config: WaveformConfig):
        super().__init__()
        self.config = config
        self.encoder = SampleCNN()
        self.output_dim = self.encoder.output_dim
        self.sample_rate = config.sample_rate
        self.samples_per_frame = self.encoder.samples_per_frame

    def forward(self, wavs: Tensor, lengths: Tensor) -> Tensor:
        """Padded waveforms (B, N) and their lengths (B,) -> frames (B, ceil(N / 59049), 512)."""
        return self.encoder(wavs, lengths)

    def inputs(self, wavs: Tensor) -> Tensor:
        """The waveforms (B, N) themselves."""
        return wavs
