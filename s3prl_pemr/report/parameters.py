"""How large an upstream is."""

from __future__ import annotations

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
    while hasattr(model, "model"):
        model = model.model
    model = getattr(model, "encoder", model)
    return sum(parameter.numel() for parameter in model.parameters())
