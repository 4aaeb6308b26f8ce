"""What `fused_training.py` leaves to the device, as operators that torch.compile takes as they are.

Each is the function of the device's own file; here are the shapes of what it returns. B: clips, C: channels,
F: mel bins, T: log-mel frames; F', T': those of the output.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from . import fused_training

NAME = "s3prl_pemr"


def _own(x: Tensor):
    return fused_training.kernels(x.device.type)


def _own_memory(results: Iterable[Tensor], of: Tensor) -> list[Tensor]:
    """Results contiguous, as announced, and apart: an operator's may share memory with nothing.

    The CPU's output is the last of what it keeps; a GPU's lines are the input's, its two sums parts of one.
    """
    taken, apart = {of.untyped_storage().data_ptr()}, []
    for result in results:
        place = result.untyped_storage().data_ptr()
        shared = place in taken or not result.is_contiguous()
        apart.append(result.clone(memory_format=torch.contiguous_format) if shared else result)
        taken.add(place)
    return apart


def patch_sums(x: Tensor) -> tuple[Tensor, Tensor]:
    """As `fused_training_cpu.patch_sums`."""
    return tuple(_patch_sums(x))


def winners(*inputs: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
    """As `fused_training_cpu.winners`."""
    output, *kept = _winners(*inputs)
    return output, tuple(kept)


def winner_sums(gradient: Tensor, pool: tuple[int, int], *kept: Tensor) -> tuple[Tensor, Tensor]:
    """As `fused_training_cpu.winner_sums`."""
    return tuple(_winner_sums(gradient, pool, kept))


@torch.library.custom_op(f"{NAME}::patch_sums", mutates_args=(), schema="(Tensor x) -> Tensor[]")
def _patch_sums(x):
    return _own_memory(_own(x).patch_sums(x), x)


@_patch_sums.register_fake
def _(x):
    return [x.new_empty(9, dtype=torch.float64), x.new_empty(9, 9, dtype=torch.float64)]


@torch.library.custom_op(
    f"{NAME}::winners",
    mutates_args=(),
    schema="(Tensor x, Tensor kernel, Tensor slope, Tensor offset, int[] pool, Tensor? lengths, "
    "ScalarType dtype) -> Tensor[]",
)
def _winners(x, kernel, slope, offset, pool, lengths, dtype):
    output, kept = _own(x).winners(x, kernel, slope, offset, tuple(pool), lengths, dtype)
    return _own_memory([output, *kept], x)


@_winners.register_fake
def _(x, kernel, slope, offset, pool, lengths, dtype):
    items, _, bins, frames = x.shape
    shape = items, bins // pool[0], -(-frames // pool[1])
    channels, windows = len(kernel), shape[0] * shape[1] * shape[2]
    output = x.new_empty(*shape, channels, dtype=dtype)
    if x.is_cuda:
        return [output, x.new_empty(items, frames, bins), torch.empty_like(output, dtype=torch.uint8)]
    rows = x.new_empty(windows, (pool[0] + 2) * (pool[1] + 2) + pool[1])
    best = x.new_empty(windows, channels)
    return [output, rows, torch.empty_like(best, dtype=torch.uint8), best]


@torch.library.custom_op(
    f"{NAME}::winner_sums",
    mutates_args=(),
    schema="(Tensor gradient, int[] pool, Tensor[] kept) -> Tensor[]",
)
def _winner_sums(gradient, pool: Sequence[int], kept):
    return _own_memory(_own(gradient).winner_sums(gradient, tuple(pool), *kept), gradient)


@_winner_sums.register_fake
def _(gradient, pool, kept):
    channels = gradient.shape[-1]
    return [
        gradient.new_empty(channels, 9, dtype=torch.float64),
        gradient.new_empty(channels, dtype=torch.float64),
    ]
