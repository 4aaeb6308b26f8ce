"""Autocast, gradient scaling, losses that stay in float32, and which precision a machine is fast in."""

from __future__ import annotations

import logging
import time

import torch
import torch.distributed as dist
from torch import Tensor, nn

logger = logging.getLogger(__name__)
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
AUTO = "auto"
WORTH_IT = 1.3  # times as fast bf16 has to be on a CPU: some have no instructions for it
ROUNDS = 5


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


def precision_here(name: str, device: str) -> str:
    """The name itself; of `auto` bf16 where the device is faster in it, else fp32, in every process the same.

    A CUDA device is asked, a CPU is timed. What is chosen is kept in the run's settings: a run that goes on
    does so in the precision it began with.
    """
    if name != AUTO:
        return name
    chosen = _faster_precision(device)
    logger.info("precision auto: %s on this device", chosen)
    return chosen


def _faster_precision(device: str) -> str:
    if torch.device(device).type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    chosen = ["bf16" if bf16_speed_up() >= WORTH_IT else "fp32"]
    if dist.is_available() and dist.is_initialized():
        dist.broadcast_object_list(chosen)
    return chosen[0]


def bf16_speed_up() -> float:
    """How many times as fast this CPU is in bf16: the encoder's second layer, there and back, in turns."""
    with torch.random.fork_rng(devices=[]):
        layer = nn.Conv2d(64, 128, kernel_size=3, padding=1).to(memory_format=torch.channels_last)
        maps = torch.randn(4, 64, 64, 85).contiguous(memory_format=torch.channels_last)
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(ROUNDS):
        for half, taken in seconds.items():
            begun = time.perf_counter()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
                out = layer(maps)
            out.sum().backward()
            taken.append(time.perf_counter() - begun)
    return min(seconds[False]) / min(seconds[True])


def at_least_float32(x: Tensor) -> Tensor:
    """Half precision raised to float32; anything else as it is."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
