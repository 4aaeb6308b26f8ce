"""Which device an experiment runs on, what is sent there, and a CPU run on a machine that has CUDA."""

from __future__ import annotations

import os

import torch
from torch import Tensor


def choose_device(requested: str | None, local_rank: int | None = None) -> str:
    """`requested`, or cuda where there is one, else cpu; under torchrun the CUDA device of this process.

    Raises: ValueError (one line) where the device is not there.
    """
    device = requested or ("cuda" if torch.cuda.is_available() else "cpu")
    if not device.startswith("cuda"):
        return device
    if not torch.cuda.is_available():
        raise ValueError(f"--device {device}: this machine has no CUDA device; pass --device cpu")
    if local_rank is not None:
        if local_rank >= torch.cuda.device_count():
            raise ValueError(
                f"torchrun started process {local_rank}, but CUDA devices are {torch.cuda.device_count()}; "
                "lower --nproc_per_node or pass --device cpu"
            )
        device = f"cuda:{local_rank}"
    return device


def to_device(values: Tensor, device: torch.device | str) -> Tensor:
    """Values on the device. To CUDA they go from pinned memory: nobody waits for the copy.

    From other memory `tensor.to` waits until the device has done all that it was asked for.
    """
    if values.device.type == "cpu" and torch.device(device).type == "cuda":
        values = values.pin_memory()
    return values.to(device, non_blocking=True)


def hide_cuda() -> None:
    """For --device cpu: s3prl/downstream/runner.py:448, 493 fail with it on a CUDA machine.

    CUDA_VISIBLE_DEVICES alone comes too late: s3prl/upstream/log_stft/expert.py:25 has asked for devices by
    now. It serves the processes that this one starts.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    torch.cuda.is_available = lambda: False
    torch.cuda.device_count = lambda: 0
