"""Is the representation collapsing? Two numbers of a batch's vectors, and who listens. B: clips, P: width."""

from __future__ import annotations

import logging
import math

import torch
import torch.nn.functional as F
from torch import Tensor

FLOOR = 0.05  # of 1 / sqrt(P): a tenth of what is healthy behind a ReLU
LOG_STEPS = 5  # in a row
logger = logging.getLogger(__name__)


def embedding_std(vectors: Tensor) -> Tensor:
    """Collapse alarm: mean deviation of L2-normalised vectors, (B, P).

    0 is collapsed; vectors of all directions have 1 / sqrt(P) = 0.044; not negative behind a ReLU, 0.02 to
    0.027 is healthy. A few directions shared by all clips keep it healthy too: see `effective_rank`.
    """
    return F.normalize(vectors.detach().float(), dim=1).std(dim=0).mean()


def effective_rank(vectors: Tensor) -> Tensor:
    """In how many directions vectors (B, P) differ: 1 to min(B - 1, P), whatever their scale.

    RankMe (Garrido et al., ICML 2023, Eq. 1): exp of the entropy of the normalised singular values; here of
    the centred vectors, as a mean that all clips share tells none of them apart. 0 where all are equal.
    """
    vectors = vectors.detach().float()
    singular = torch.linalg.svdvals(vectors - vectors.mean(dim=0))
    total = singular.sum()
    share = singular / total.clamp(min=torch.finfo(total.dtype).tiny)
    return torch.where(total > 0, torch.special.entr(share).sum().exp(), torch.zeros_like(total))


class CollapseAlarm:
    """Warns, once a run, where `embedding_std` stays under FLOOR / sqrt(P) for LOG_STEPS log steps."""

    def __init__(self):
        self._low, self._warned = 0, False

    def hear(self, std: float, width: int, step: int) -> None:
        """One log step's mean deviation of representations of `width` P."""
        floor = FLOOR / math.sqrt(width)
        self._low = self._low + 1 if std < floor else 0
        if self._low < LOG_STEPS or self._warned:
            return
        self._warned = True
        logger.warning(
            "step %d: the representation seems collapsed: embedding_std %.2g, under %.2g for %d log steps: "
            "all clips look alike; see docs/pretraining.md",
            step, std, floor, LOG_STEPS,
        )  # fmt: skip
