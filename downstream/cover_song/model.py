"""The networks, and the heads made of them: an embedding per track, and a classifier over the training works.

B: tracks, D: the upstream's width, E: the embedding's width.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .networks.cqtnet import CQTNet
from .networks.kinet import KiNet
from .networks.ready import Ready
from .networks.tppnet import TPPNet
from .training_free.fourier import FourierMagnitudes

__all__ = ["HEADS", "NETWORKS", "READY", "CQTNet", "CoverHead", "KiNet", "TPPNet"]

READY = {"ready": Ready, "ftm2d": FourierMagnitudes}  # scored as they are: there is nothing to train
NETWORKS = {"cqtnet": CQTNet, "tppnet": TPPNet, "kinet": KiNet, **READY}
REVISION = 2  # of the networks, kept in checkpoints
KINET_SLOPE_BEFORE = 0.2  # in revision 1
UPSTREAM_WIDTH = 300  # of an upstream's part, as CQT-Net's
# head -> does it use the upstream, and which network
HEADS = {
    "cqtnet": (False, "cqtnet"),
    "tppnet": (False, "tppnet"),
    "kinet": (False, "kinet"),
    "ready": (False, "ready"),
    "ftm2d": (False, "ftm2d"),
    "upstream": (True, None),
    "upstream+cqtnet": (True, "cqtnet"),
}


class CoverHead(nn.Module):
    """What is trained: embeds tracks; `classifier` turns embeddings into logits.

    Args:
        kind: one of HEADS.
        upstream_dim: D.
        works: how many the classifier tells apart; without any there is no classifier.
        revision: 1 for checkpoints of versions up to 0.1, whose Ki-Net had another slope and a bias.
    """

    def __init__(self, kind: str, upstream_dim: int, works: int, revision: int = REVISION):
        super().__init__()
        self.uses_upstream, network = HEADS[kind]
        self.projection = nn.Linear(upstream_dim, UPSTREAM_WIDTH) if self.uses_upstream else None
        of_kinet = {"slope": KINET_SLOPE_BEFORE} if network == "kinet" and revision == 1 else {}
        self.network = NETWORKS[network](**of_kinet) if network else None
        self.width = (UPSTREAM_WIDTH if self.uses_upstream else 0) + (self.network.width if network else 0)
        dropout = getattr(self.network, "classifier_dropout", 0.0)
        bias = revision == 1 or getattr(self.network, "classifier_bias", True)
        if works:
            self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.width, works, bias=bias))

    @property
    def parameters_without_classifier(self) -> int:
        """How many an embedding passes through, behind the upstream."""
        body = (p for name, p in self.named_parameters() if not name.startswith("classifier"))
        return sum(parameter.numel() for parameter in body)

    def forward(self, upstream_mean: Tensor | None, cqt: Tensor | None) -> Tensor:
        """Embeddings; those of two parts are both brought to one length, so that each has a say.

        Args:
            upstream_mean: an upstream's features averaged over time, (B, D), where the head uses them.
            cqt: (B, 1, 84, T), where it has a network.

        Returns: (B, E).
        """
        parts = []
        if self.projection is not None:
            parts.append(self.projection(upstream_mean))
        if self.network is not None:
            parts.append(self.network(cqt))
        if len(parts) == 1:
            return parts[0]
        # Entries of unit size, not rows of unit length: the classifier would take long to grow its weights.
        return torch.cat([F.normalize(part, dim=1) * math.sqrt(part.shape[1]) for part in parts], dim=1)
