"""How large an upstream is."""

from __future__ import annotations

from typing import Any

from s3prl import hub
from torch import nn


def parameter_count(upstream: str, checkpoint: str | None = None) -> int:
    """Parameters that the features pass through, buffers not counted.

    For PEMR that is its encoder: the transformer decides on masks in pretraining and is not part of the
    features.
    """
    return parameters_of(getattr(hub, upstream)(**({"ckpt": checkpoint} if checkpoint else {})))


def parameters_of(model: nn.Module) -> int:
    """The same of an upstream, or a network, that is loaded."""
    inner: Any = model
    while hasattr(inner, "model"):
        inner = inner.model
    inner = getattr(inner, "encoder", inner)
    return sum(parameter.numel() for parameter in inner.parameters())
