"""One batch over several processes: the wrapped method, and sums over all of it with their gradient."""

from __future__ import annotations

import logging

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

logger = logging.getLogger(__name__)


class _AllReduceSum(torch.autograd.Function):
    """Sum over processes; the backward sums the gradients of all processes' (equal) losses."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        total = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total


def world_size() -> int:
    """Number of processes, 1 where torch.distributed is not in use."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def global_sum(x: Tensor) -> Tensor:
    """Sum of `x` over all processes, itself for one.

    Every process then computes the same loss, so the gradient that reaches `x` is world_size times that of
    one loss; DistributedDataParallel's mean over processes divides it out again.
    """
    return _AllReduceSum.apply(x) if world_size() > 1 else x


def global_gather(x: Tensor) -> Tensor:
    """Rows of all processes in their order, (B, ...) -> (B * processes, ...), with their gradient.

    As for `global_sum`, every process must compute the same loss of what it is given.
    """
    if world_size() == 1:
        return x
    rank = dist.get_rank()
    mine = [x if process == rank else torch.zeros_like(x) for process in range(world_size())]
    return global_sum(torch.cat(mine))


def distributed(model: nn.Module, device: str) -> nn.Module:
    """Wrapped for several processes, itself for one.

    gloo has no SyncBatchNorm: on a CPU each process normalises its share.
    """
    if world_size() == 1:
        return model
    on_cuda = torch.device(device).type == "cuda"
    if on_cuda:
        nn.SyncBatchNorm.convert_sync_batchnorm(model)
    else:
        logger.warning("batch normalisation is per process on CPU: gloo has no synchronised one")
    devices = [torch.device(device).index] if on_cuda else None
    # It keeps the gradients' buckets as they are. Else their order changes after the first step, also of a
    # resumed run, and sums over three or more processes are rounded in another order: no exact resume.
    return DistributedDataParallel(model, device_ids=devices, find_unused_parameters=True)
