"""COLA (Saeed, Grangier, Zeghidour, ICASSP 2021; the paper's [32]). B: clips, P: projection width."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from s3prl.pretrain.crops.corruption import Corruption
from s3prl.pretrain.training.baseline import Baseline, positive_similarity
from s3prl.pretrain.training.global_batch import global_gather
from s3prl.pretrain.training.precision import at_least_float32
from torch import Tensor, nn

INITIAL_DEVIATION = 0.05  # of Keras' random_normal, which initialises W in its code


def bilinear_loss(anchors: Tensor, positives: Tensor, weight: Tensor) -> Tensor:
    """COLA, 2: s(x, x') = g(x)^T W g(x'), each anchor finds its clip's positive among those of the batch.

    As BilinearProduct and ContrastiveModel in google-research/cola, network.py: one way, no temperature.

    Args:
        anchors, positives: projections of this process's clips, (B, P).
        weight: W, (P, P).

    Returns: the mean over the global batch, float32 at least; the same in every process.
    """
    with torch.autocast(anchors.device.type, enabled=False):
        anchors, positives = (global_gather(at_least_float32(z)) for z in (anchors, positives))
        logits = anchors @ at_least_float32(weight) @ positives.T
        return F.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


class COLA(Baseline):
    """Cross-entropy over a learned bilinear similarity.

    Anchors and positives are encoded as one batch, whose statistics batch norm takes: ContrastiveModel in
    google-research/cola, network.py.
    """

    def __init__(self, settings: dict, where: str):
        super().__init__(settings, where)
        self.weight = nn.Parameter(torch.randn(self.projection_dim, self.projection_dim) * INITIAL_DEVIATION)

    def original_head(self, inputs: int) -> nn.Module:
        """google-research/cola, network.py: a linear layer of 512, layer norm, tanh."""
        return nn.Sequential(nn.Linear(inputs, 512), nn.LayerNorm(512), nn.Tanh())

    def compare(
        self, view_a: Tensor, view_b: Tensor, corruption: Corruption | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Baseline.compare`."""
        vectors, z = self.represent(torch.cat([view_a, view_b]))
        for name, both in self.monitored.items():
            self.monitored[name] = both[: len(view_a)]
        anchors, positives = z.chunk(2)
        loss = bilinear_loss(anchors, positives, self.weight)
        logged = {"loss": loss, "positive_similarity": positive_similarity(anchors, positives)}
        return vectors[: len(view_a)], logged
