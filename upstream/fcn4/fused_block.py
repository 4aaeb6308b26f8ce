"""The encoder's first block at inference on a CPU: convolution, batch norm, pooling and ReLU in one go.

The block's map is 64 x 128 x frames, 8 times its output and far larger than a cache: writing and reading it
takes most of the encoder's time. Here a pooling window is the row of a matrix, each of its positions one
product with the kernel, and of the products only the maximum is kept, some rows at a time. B: clips,
C: channels, F: mel bins, T: log-mel frames.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

ROWS = 8_192  # windows at a time: 2 MB of products of 64 channels
BEHIND = -1e30  # added to a position behind an item's end: no maximum


def conv_pool_relu(
    x: Tensor, weight: Tensor, bias: Tensor, pool: tuple[int, int], lengths: Tensor | None
) -> Tensor:
    """3 x 3 convolution of one channel, zero padding, maximum over windows in ceil mode, ReLU.

    Args:
        x: (B, 1, F, T); F divisible by pool[0].
        weight, bias: (C, 1, 3, 3) and (C,), batch norm folded in.
        pool: window in (bins, frames).
        lengths: frames of each item (B,): what lies behind does not count; None where all have T.

    Returns: (B, C, F / pool[0], ceil(T / pool[1])), channels last in memory.
    """
    rows, shape = windows(x, pool, lengths)
    kernels = window_kernels(weight[:, 0], *pool)
    pooled = x.new_empty(len(rows), len(weight))
    product = x.new_empty(min(ROWS, len(rows)), len(weight))
    for block, maximum in zip(rows.split(ROWS), pooled.split(ROWS), strict=True):
        torch.mm(block, kernels[0], out=maximum)
        for kernel in kernels[1:]:
            torch.maximum(maximum, torch.mm(block, kernel, out=product[: len(block)]), out=maximum)
        maximum.add_(bias).relu_()
    return pooled.unflatten(0, shape).permute(0, 3, 1, 2)


def windows(x: Tensor, pool: tuple[int, int], lengths: Tensor | None) -> tuple[Tensor, tuple[int, int, int]]:
    """The pooling windows of (B, 1, F, T) as rows of a matrix, and their arrangement (B, F', T').

    A row holds the window with one bin and frame around it, (bins + 2) * (frames + 2) values, then for each
    of its frames whether that lies behind the item's end.
    """
    bins, frames = pool
    missing = -x.shape[-1] % frames
    patches = F.unfold(F.pad(x, (1, 1 + missing, 1, 1)), (bins + 2, frames + 2), stride=pool)
    shape = (len(x), x.shape[2] // bins, (x.shape[3] + missing) // frames)
    rows = torch.cat([patches, _is_behind(x, shape, frames, lengths)], dim=1)
    return rows.transpose(1, 2).flatten(0, 1), shape


def _is_behind(x: Tensor, shape: tuple[int, int, int], frames: int, lengths: Tensor | None) -> Tensor:
    """(B, frames, F' * T'): 1 where that frame of the window lies behind the item's end, else 0."""
    ends = x.new_full((len(x),), x.shape[-1]) if lengths is None else lengths.to(x)
    at = torch.arange(shape[2] * frames, device=x.device).unflatten(0, (shape[2], frames)).T
    behind = (at >= ends[:, None, None]).to(x)  # (B, frames, T')
    return behind[:, :, None].expand(-1, -1, shape[1], -1).flatten(2)


def window_kernels(weight: Tensor, bins: int, frames: int) -> list[Tensor]:
    """For each position of a window, bin by bin, (taps + frames, C): the kernel there, and the row of BEHIND.

    Args: weight: (C, 3, 3).
    """
    kernels = []
    for bin_ in range(bins):
        for frame in range(frames):
            penalty = weight.new_zeros(frames, len(weight))
            penalty[frame] = BEHIND
            taps = F.pad(weight, (frame, frames - 1 - frame, bin_, bins - 1 - bin_)).flatten(1)
            kernels.append(torch.cat([taps.T, penalty]))
    return kernels
