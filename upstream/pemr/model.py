"""The PEMR model: all that has learned weights (paper Figure 2). B: clips, L: frames, D: mel bins."""

from __future__ import annotations

import torch
from s3prl.upstream.adapter.shared_model import SharedModel
from s3prl.upstream.fcn4.encoder import FCN4, POOLED_FRAMES
from s3prl.upstream.fcn4.frontend import LogMel
from s3prl.upstream.fcn4.long_tracks import encode_batch, encode_in_windows
from s3prl.upstream.fcn4.projector import Projector
from torch import Tensor, nn

from .config import PemrConfig
from .masking import frame_importance, positive_negative_masks
from .transformer import FeedForward, FrameTransformer


class PEMR(nn.Module, SharedModel):
    """Front end, frame transformer with its prediction layer, FCN-4 encoder with its projection head.

    The masks are hard thresholds: the transformer and predictor learn from the prediction loss alone, the
    encoder and projector from the contrastive losses alone.
    """

    Config = PemrConfig

    def __init__(self, config: PemrConfig):
        super().__init__()
        self.config = config
        width = config.frontend.n_mels
        self.frontend = LogMel(config.frontend)
        transformer = config.transformer
        self.transformer = FrameTransformer(
            width, transformer.layers, transformer.heads, transformer.frame_scale
        )
        self.predictor = FeedForward(width)
        self.encoder = FCN4(config.encoder_channels)
        self.output_dim = self.encoder.output_dim(width)
        self.projector = Projector(self.output_dim, config.projection_hidden, config.projection_dim)

    @property
    def sample_rate(self) -> int:
        """Of the waveforms, Hz."""
        return self.config.frontend.sample_rate

    @property
    def samples_per_frame(self) -> int:
        """Waveform samples in a representation frame."""
        return self.config.frontend.hop_samples * POOLED_FRAMES

    def forward(self, wavs: Tensor, lengths: Tensor) -> Tensor:
        """Padded waveforms (B, N) and their lengths (B,) -> representation frames (B, ceil(N / 16384), 512).

        No mask is applied: the paper masks in pretraining only.
        """
        encode = encode_batch if self.training else encode_in_windows
        return encode(self.frontend, self.encoder, wavs, lengths)

    def predict(self, frames: Tensor) -> Tensor:
        """Corrupted frames (B, L, D) -> the prediction P of Eq. 6, (B, L, D)."""
        return self.predictor(self.transformer(frames)[:, 1:])

    @torch.no_grad()
    def importance(self, frames_a: Tensor, frames_b: Tensor) -> Tensor:
        """Frame importances s of Eq. 4 for the second branch, (B, L), from uncorrupted frames (B, L, D).

        The transformer has neither dropout nor batch statistics, so this is its evaluation mode; it is
        computed in float32 also under autocast, because reduced precision changes which frames are masked.
        """
        with torch.autocast(frames_a.device.type, enabled=False):
            query_a = self.transformer.cls_query(frames_a.float())
            query_b, keys_b = self.transformer.cls_query_and_frame_keys(frames_b.float())
            return frame_importance(query_a, query_b, keys_b)

    def masks(self, frames_a: Tensor, frames_b: Tensor) -> tuple[Tensor, Tensor]:
        """Positive and negative mask of Eq. 5 for the second branch's frames, each (B, L)."""
        return positive_negative_masks(self.importance(frames_a, frames_b), self.config.mask_ratio)

    def clip_vectors(self, frames: Tensor) -> Tensor:
        """Log-mel frames (B, L, D) of clips of one length -> representations (B, 512): the mean over time."""
        return self.encoder(frames).mean(dim=1)
