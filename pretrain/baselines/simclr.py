"""SimCLR (Chen et al., ICML 2020; the paper's [6]). B: clips, P: projection width."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from s3prl.pretrain.crops.corruption import Corruption
from s3prl.pretrain.training.baseline import Baseline, HeadConfig, positive_similarity
from s3prl.pretrain.training.global_batch import global_gather
from s3prl.pretrain.training.precision import at_least_float32
from s3prl.upstream.fcn4.projector import Projector
from torch import Tensor, nn


@dataclass
class SimCLRConfig(HeadConfig):
    """temperature: tau of its Eq. 1."""

    temperature: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.temperature <= 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature}")


def nt_xent(z_a: Tensor, z_b: Tensor, temperature: float) -> Tensor:
    """SimCLR, Eq. 1 and Algorithm 1: each crop finds its track's other crop among all others of the batch.

    Args:
        z_a, z_b: projections of this process's clips, (B, P); normalised here.
        temperature: divides the cosines.

    Returns: the mean over both crops of the global batch, float32 at least; the same in every process.
    """
    with torch.autocast(z_a.device.type, enabled=False):
        z = torch.cat([global_gather(at_least_float32(z)) for z in (z_a, z_b)])  # (2 B, P) of all processes
        z = F.normalize(z, dim=1)
        logits = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
        partners = torch.arange(len(z), device=z.device).roll(len(z) // 2)
        return F.cross_entropy(logits, partners)


class SimCLR(Baseline):
    """NT-Xent on two crops of each track."""

    Config = SimCLRConfig

    def original_head(self, inputs: int) -> nn.Module:
        """SimCLR, 3: one hidden layer as wide as the representation, 128 values."""
        return Projector(inputs, inputs, 128)

    def compare(
        self, view_a: Tensor, view_b: Tensor, corruption: Corruption | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Baseline.compare`."""
        vectors, z_a = self.represent(view_a)
        _, z_b = self.represent(view_b)
        loss = nt_xent(z_a, z_b, self.objective.temperature)
        return vectors, {"loss": loss, "positive_similarity": positive_similarity(z_a, z_b)}
