"""Encoders of the baselines with their input. B: clips, N: samples, L: log-mel frames, F: mel bins."""

from __future__ import annotations

from dataclasses import dataclass

from s3prl.upstream.adapter.shared_model import SharedModel
from s3prl.upstream.taggers.sample_cnn import SampleCNN
from torch import Tensor, nn


@dataclass
class WaveformConfig:
    """sample_rate: Hz; CLMR's is 22,050, ours s3prl's."""

    sample_rate: int = 16_000


class WaveformSampleCNN(nn.Module, SharedModel):
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
