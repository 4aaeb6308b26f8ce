"""What `fused_training.py` leaves to the device, on a CPU: products of matrices, some rows at a time.

A pooling window is the row of a matrix, as in `fused_block.py`. B: clips, C: channels, F: mel bins,
T: log-mel frames; F', T': those of the output.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .fused_block import window_kernels, windows

ROWS = 2_048  # windows at a time: their products and gradients of 64 channels stay in a cache
TAPS = 9


def patch_sums(x: Tensor) -> tuple[Tensor, Tensor]:
    """Sums of all patches (9,) and of the products of their values (9, 9), in float64."""
    total, products = x.new_zeros(TAPS, dtype=torch.float64), x.new_zeros(TAPS, TAPS, dtype=torch.float64)
    for item in x.split(1):  # a clip's patches fit a cache, and its sums float32
        patches = F.unfold(item, 3, padding=1)[0]  # (9, F * T)
        total += patches.sum(dim=1)
        products += patches @ patches.T
    return total, products


def winners(
    x: Tensor,
    kernel: Tensor,
    slope: Tensor,
    offset: Tensor,
    pool: tuple[int, int],
    lengths: Tensor | None,
    dtype: torch.dtype,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """ReLU(slope * (maximum of the products in a window) + offset), 0 in windows behind an item's end.

    Args:
        x: (B, 1, F, T).
        kernel: (C, 9).
        slope, offset: (C,).
        pool, lengths: see `fused_training.conv_norm_pool_relu`.
        dtype: of the output.

    Returns: (B, F', T', C), and what `winner_sums` needs of it.
    """
    rows, shape = windows(x, pool, lengths)
    best = rows.new_empty(len(rows), len(kernel))  # product of the winner, then the output
    winner = torch.zeros(best.shape, dtype=torch.uint8, device=x.device)
    kernels = window_kernels(kernel.unflatten(1, (3, 3)), *pool)
    product = rows.new_empty(min(ROWS, len(rows)), len(kernel))
    for block, maximum, place in zip(rows.split(ROWS), best.split(ROWS), winner.split(ROWS), strict=True):
        torch.mm(block, kernels[0], out=maximum)
        own = product[: len(block)]
        for number, candidate in enumerate(kernels[1:], start=1):
            torch.mm(block, candidate, out=own)
            better = (own > maximum).view(torch.uint8).mul_(number)
            torch.maximum(place, better, out=place)  # numbers rise: the last better one is the largest
            torch.maximum(maximum, own, out=maximum)
        maximum.mul_(slope).add_(offset).relu_()
    if lengths is not None:
        best[rows[:, -pool[1]] > 0] = 0  # a slope of 0 leaves the offset there
    return best.unflatten(0, shape).to(dtype), (rows, winner, best)


def winner_sums(
    gradient: Tensor, pool: tuple[int, int], rows: Tensor, winner: Tensor, output: Tensor
) -> tuple[Tensor, Tensor]:
    """Sums over all windows whose output is not 0 of gradient times the winner's patch, and of the gradient.

    Args: gradient: (B, F', T', C); then the pool and what `winners` has kept.

    Returns: (C, 9) and (C,), in float64.
    """
    bins, frames = pool
    channels, wide = output.shape[1], rows.shape[1]
    of_shift = rows.new_zeros(channels)
    of_windows = [rows.new_zeros(channels, wide) for _ in range(bins * frames)]
    parts = (part.split(ROWS) for part in (rows, winner, output, gradient.reshape(output.shape)))
    for block, place, out, passed in zip(*parts, strict=True):
        live = torch.where(out > 0, passed, 0)
        of_shift += live.sum(dim=0)
        for number, into in enumerate(of_windows):
            into.addmm_((live * (place == number)).T, block)
    of_winners = rows.new_zeros(channels, 3, 3, dtype=torch.float64)
    for number, summed in enumerate(of_windows):
        bin_, frame = divmod(number, frames)
        taps = summed[:, : (bins + 2) * (frames + 2)].unflatten(1, (bins + 2, frames + 2))
        of_winners += taps[:, bin_ : bin_ + 3, frame : frame + 3]
    return of_winners.flatten(1), of_shift.double()
