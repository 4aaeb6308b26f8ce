"""FCN-4 on log-mel: what most methods pretrain. B: clips, N: samples, L: frames, F: mel bins."""

from __future__ import annotations

from dataclasses import dataclass, field

from s3prl.upstream.adapter.shared_model import SharedModel
from torch import Tensor, nn

from .encoder import FCN4, POOLED_FRAMES
from .frontend import FrontendConfig, LogMel
from .long_tracks import encode_batch, encode_in_windows


@dataclass
class LogMelFCNConfig:
    """As in PEMR (paper 4.1.3: the encoders of all methods are the same)."""

    frontend: FrontendConfig = field(default_factory=FrontendConfig)
    encoder_channels: list[int] = field(default_factory=lambda: [64, 128, 128, 128])  # FCN-4

    def __post_init__(self):
        if len(self.encoder_channels) != 4:
            raise ValueError(f"encoder_channels needs 4 values, got {self.encoder_channels}")


class LogMelFCN(nn.Module, SharedModel):
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
