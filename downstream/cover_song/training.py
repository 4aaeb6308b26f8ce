"""A training step's loss, the precision it is computed in, and which rates do not work."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

from s3prl.pretrain.training.precision import Precision, precision_here
from torch import Tensor
from torch.nn import functional as F

from .model import CoverHead

logger = logging.getLogger(__name__)
PRECISIONS = ("fp32", "bf16", "auto")
SMALL_BATCH, RATE_OF_LARGE_BATCHES, RATE = 32, 1e-3, 3e-4


def class_loss(
    head: CoverHead, upstream_mean: Tensor | None, cqts: Tensor | None, classes: Tensor, precision: str
) -> tuple[Tensor, float]:
    """Cross-entropy over the training works, and the share of tracks whose work has the largest logit.

    Args:
        head: with a classifier.
        upstream_mean: (B, D), where the head uses an upstream.
        cqts: crops (B, 84, T), where it has a network.
        classes: (B,).
        precision: of the network; classifier and loss stay in float32.
    """
    with Precision(_chosen(precision, classes.device.type), classes.device.type).autocast():
        embeddings = head(upstream_mean, None if cqts is None else cqts.unsqueeze(1))
    logits = head.classifier(embeddings.float())
    accuracy = (logits.argmax(dim=1) == classes).float().mean().item()
    return F.cross_entropy(logits, classes), accuracy


def warn_of_rate(optimizer: Mapping[str, Any] | None, tracks: int) -> None:
    """Says so, in one line, where batches of so many tracks do not learn at the optimizer's rate."""
    rate = float((optimizer or {}).get("lr") or 0)
    if rate >= RATE_OF_LARGE_BATCHES and tracks < SMALL_BATCH:
        logger.warning(
            "a learning rate of %g with batches of %d tracks: the training loss hardly falls there; take %g "
            "below %d tracks (-o config.optimizer.lr=%g)",
            rate, tracks, RATE, SMALL_BATCH, RATE,
        )  # fmt: skip


@cache
def _chosen(precision: str, device: str) -> str:
    return precision_here(precision, device)  # `auto` times the CPU, once
