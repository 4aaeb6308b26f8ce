"""Autocast, gradient scaling, and losses that stay in float32."""

from __future__ import annotations

import torch
from torch import Tensor

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """fp32, bf16 (CPU and CUDA) or fp16 (CUDA, with a gradient scaler). Losses stay in float32."""

    def __init__(self, name: str, device: str):
        """Raises ValueError (one line) for fp16 away from CUDA, where it has no gradient scaling."""
        self.device_type = torch.device(device).type
        if name == "fp16" and self.device_type != "cuda":
            raise ValueError(f"precision fp16 needs a CUDA device, not {device}: use bf16 or fp32")
        self.dtype = DTYPES.get(name)
        self.scaler = torch.amp.GradScaler(self.device_type, enabled=name == "fp16")

    def autocast(self) -> torch.autocast:
        """Context for the forward pass."""
        return torch.autocast(self.device_type, dtype=self.dtype, enabled=self.dtype is not None)


def at_least_float32(x: Tensor) -> Tensor:
    """Half precision raised to float32; anything else as it is."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
