"""CLMR (Spijkervet and Burgoyne, ISMIR 2021; the paper's [33]): SimCLR on the raw waveform with SampleCNN."""

from __future__ import annotations

import logging

from torch import nn

from .simclr import SimCLR

logger = logging.getLogger(__name__)


class CLMR(SimCLR):
    """SimCLR with another encoder, which s3prl_pemr/methods.py names, and another head of its own."""

    def original_head(self, inputs: int) -> nn.Module:
        """Spijkervet/SimCLR, simclr/simclr.py: 512 - 512 - 64, neither layer with bias."""
        return nn.Sequential(
            nn.Linear(inputs, inputs, bias=False), nn.ReLU(), nn.Linear(inputs, 64, bias=False)
        )

    def fit_data(self, tracks: int, batch_size: int, crop_samples: int) -> None:
        """Says where crops are not whole patches: it trains, on zeros in part."""
        patch = self.model.samples_per_frame
        if crop_samples % patch:
            logger.warning(
                "crop_samples %d: SampleCNN sees %d at once, zeros fill the rest; "
                "-o config.pretrain_expert.datarc.crop_samples=%d", crop_samples, patch, patch
            )  # fmt: skip
