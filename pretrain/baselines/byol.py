"""BYOL (Grill et al., NeurIPS 2020; the paper's [14]). B: clips, P: projection width."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from s3prl.pretrain.crops.corruption import Corruption
from s3prl.pretrain.training.baseline import Baseline, HeadConfig, positive_similarity
from s3prl.pretrain.training.precision import at_least_float32
from torch import Tensor, nn

from .momentum import MomentumEncoder

ORIGINAL_HIDDEN, ORIGINAL_WIDTH = 4096, 256


@dataclass
class BYOLConfig(HeadConfig):
    """momentum: tau_base, where the target network's schedule begins."""

    momentum: float = 0.99

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.momentum <= 1:
            raise ValueError(f"momentum must be in [0, 1], got {self.momentum}")


def byol_loss(prediction_a: Tensor, prediction_b: Tensor, target_a: Tensor, target_b: Tensor) -> Tensor:
    """BYOL, Eq. 2 and 3.2: 2 - 2 cos of a prediction and the other crop's target, both ways summed.

    Args:
        prediction_a, prediction_b: of the two crops by the online network, (B, P).
        target_a, target_b: of the two crops by the target network, (B, P).

    Returns: the mean over this process's clips, in [0, 8], float32 at least.
    """
    with torch.autocast(prediction_a.device.type, enabled=False):
        pairs = ((prediction_a, target_b), (prediction_b, target_a))
        a, b = (
            F.cosine_similarity(at_least_float32(p), at_least_float32(t.detach()), dim=1) for p, t in pairs
        )
        return (4 - 2 * (a + b)).mean()


def target_momentum(base: float, updates: Tensor, total: int) -> Tensor:
    """BYOL, 3.3: tau = 1 - (1 - tau_base) (cos(pi k / K) + 1) / 2, from tau_base at k = 0 to 1 at k = K."""
    return 1 - (1 - base) * (torch.cos(updates * (math.pi / total)) + 1) / 2


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """BYOL, 3.3: linear, batch norm, ReLU, linear; its projection head and its predictor."""
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, outputs)
    )


class BYOL(Baseline):
    """An online network predicts what a slowly following copy of it says of the other crop."""

    Config = BYOLConfig

    def __init__(self, settings: dict, where: str):
        super().__init__(settings, where)
        hidden = ORIGINAL_HIDDEN if self.objective.head == "original" else self.objective.projection_hidden
        self.predictor = mlp(self.projection_dim, hidden, self.projection_dim)
        self.target = MomentumEncoder(self.model.encoder, self.projector)
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def original_head(self, inputs: int) -> nn.Module:
        """BYOL, 3.3: 4,096 hidden units with batch norm, 256 values."""
        return mlp(inputs, ORIGINAL_HIDDEN, ORIGINAL_WIDTH)

    def compare(
        self, view_a: Tensor, view_b: Tensor, corruption: Corruption | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Baseline.compare`."""
        vectors, z_a = self.represent(view_a)
        _, z_b = self.represent(view_b)
        target_a, target_b = self.target(view_a), self.target(view_b)
        prediction_a, prediction_b = self.predictor(z_a), self.predictor(z_b)
        loss = byol_loss(prediction_a, prediction_b, target_a, target_b)
        return vectors, {"loss": loss, "positive_similarity": positive_similarity(prediction_a, target_b)}

    def after_step(self, total_steps: int) -> None:
        """The target network follows, ever more slowly."""
        momentum = target_momentum(self.objective.momentum, self.updates, total_steps)
        self.target.follow(self.model.encoder, self.projector, momentum)
        self.updates.add_(1)
