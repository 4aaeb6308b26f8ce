"""FCN-4, PEMR's encoder on PEMR's log-mel front end, by itself."""

from __future__ import annotations

from s3prl.upstream.pemr.config import FrontendConfig
from s3prl.upstream.pemr.encoder import FCN4, POOLED_FRAMES
from s3prl.upstream.pemr.frontend import LogMel
from s3prl.upstream.pemr.long_tracks import encode_batch, encode_in_windows
from torch import Tensor, nn


class FCN(nn.Module):
    """Waveforms -> a frame of 512 values per 16,384 samples; 370,560 parameters.

    The count is the 370K of the paper's Table 2 (FCN-4), which leaves the output layer out. What
    `pemr_random` computes, without the transformer that it does not use.
    """

    def __init__(self):
        super().__init__()
        config = FrontendConfig()
        self.frontend = LogMel(config)
        self.encoder = FCN4()
        self.patch_samples = config.hop_samples * POOLED_FRAMES
        self.output_dim = self.encoder.output_dim(config.n_mels)

    def forward(self, wavs: Tensor, lengths: Tensor) -> Tensor:
        """Padded waveforms (B, N) and their lengths (B,) -> (B, ceil(N / 16384), 512)."""
        encode = encode_batch if self.training else encode_in_windows
        return encode(self.frontend, self.encoder, wavs, lengths)
