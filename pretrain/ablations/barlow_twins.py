"""Barlow Twins (Zbontar et al., ICML 2021; the paper's [43]): PEMR without masks, "w.o. mask" of Table 6."""

from __future__ import annotations

from dataclasses import dataclass

from s3prl.pretrain.pemr.objective import cross_correlation, positive_loss
from s3prl.pretrain.training.baseline import Baseline, HeadConfig, positive_similarity
from torch import nn

ORIGINAL_WIDTH = 8192


@dataclass
class BarlowTwinsConfig(HeadConfig):
    """trade_off: lambda of its Eq. 1."""

    trade_off: float = 0.005


class BarlowTwins(Baseline):
    """Its Eq. 1 and 2 are the paper's Eq. 8: the loss is PEMR's own function."""

    Config = BarlowTwinsConfig

    def original_head(self, inputs):
        """facebookresearch/barlowtwins, main.py: three layers of 8,192 without bias, batch norm between."""
        layers = []
        for width in (inputs, ORIGINAL_WIDTH):
            layers += [
                nn.Linear(width, ORIGINAL_WIDTH, bias=False), nn.BatchNorm1d(ORIGINAL_WIDTH), nn.ReLU()
            ]  # fmt: skip
        return nn.Sequential(*layers, nn.Linear(ORIGINAL_WIDTH, ORIGINAL_WIDTH, bias=False))

    def compare(self, view_a, view_b, corruption):
        """See `Baseline.compare`."""
        vectors, z_a = self.represent(view_a)
        _, z_b = self.represent(view_b)
        loss = positive_loss(cross_correlation(z_a, z_b), self.objective.trade_off)
        return vectors, {"loss": loss, "positive_similarity": positive_similarity(z_a, z_b)}
