"""A frozen upstream in bfloat16 (--features_precision bf16)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

PRECISIONS = ("fp32", "bf16")


class HalfPrecision(nn.Module):
    """Stands in for an upstream: its products under bfloat16's autocast, its features in float32."""

    def __init__(self, upstream: nn.Module):
        super().__init__()
        self.upstream = upstream

    def forward(self, wavs: list[Tensor]) -> dict[str, Any]:
        """1-D waveforms -> what the upstream gives."""
        with torch.autocast(wavs[0].device.type, dtype=torch.bfloat16):
            return _in_float32(self.upstream(wavs))


def _in_float32(found: Any) -> Any:
    if isinstance(found, Tensor):
        return found.float() if found.is_floating_point() else found
    if isinstance(found, dict):
        return {name: _in_float32(value) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [_in_float32(value) for value in found]
    return found
