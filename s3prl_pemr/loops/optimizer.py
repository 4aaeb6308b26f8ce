"""Settings of an optimizer that the toolkit would drop without a word, and those that make it fast."""

from __future__ import annotations

import logging
from typing import Any

FUSED = ("Adam", "AdamW", "SGD")

logger = logging.getLogger(__name__)

# What s3prl/optimizers.py:72 get_Adam and :79 get_AdamW set themselves. Its AdamW is one of its own, with
# eps 1e-6 and no weight decay unless asked for.
_TOOLKIT_DEFAULTS = {
    "Adam": {"lr": 2e-4, "betas": (0.9, 0.999)},
    "AdamW": {"lr": 2e-4, "betas": (0.9, 0.999), "eps": 1e-6, "weight_decay": 0.0},
}


def complete_optimizer_config(config: dict[str, Any]) -> dict[str, Any]:
    """The same optimizer with every setting in force.

    get_Adam and get_AdamW take `lr` and swallow the rest (weight_decay, betas, eps ...). A config with more
    goes to torch's optimizer by the toolkit's TorchOptim, which refuses a keyword it does not know.

    Args:
        config: the `optimizer` block of a toolkit config; not changed.

    Returns: `config` itself where nothing would be lost.
    """
    name = config.get("name")
    swallowed = sorted(set(config) - {"name", "lr"})
    if name not in _TOOLKIT_DEFAULTS or not swallowed:
        return config
    logger.warning(
        "optimizer %s: the toolkit would ignore %s; using TorchOptim with torch_optim_name %s instead",
        name,
        ", ".join(swallowed),
        name,
    )
    return {**_TOOLKIT_DEFAULTS[name], **config, "name": "TorchOptim", "torch_optim_name": name}


def on_device(config: dict[str, Any], device: str) -> dict[str, Any]:
    """On CUDA torch's fused update, a kernel for all parameters, unless the config says otherwise.

    Args:
        config: of `complete_optimizer_config`; not changed.
        device: torch device of the parameters.
    """
    if not device.startswith("cuda") or config.get("torch_optim_name") not in FUSED:
        return config
    return {"fused": True, **config}
