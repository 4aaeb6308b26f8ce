"""What `fused_training.py` leaves to the device, on a GPU: Triton kernels that read the frames alone.

Products are taken and summed in float32, without TF32; the sums of programs are added in float64 and in a
fixed order: a step gives the same bits again. The CPU never waits. B: clips, C: channels, F: mel bins,
T: log-mel frames; F', T': those of the output. Importing this file imports triton.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from . import fused_block
from .patch_sums_triton import as_lines, patch_sums, surroundings

BEHIND = tl.constexpr(fused_block.BEHIND)
TAPS = tl.constexpr(9)
# Windows times channels at a time: each of 128 threads has a window, whose values stay in registers as the
# kernels of its 8 channels do, and writes 16 bytes of half precision.
TILE = tl.constexpr(1_024)
TILES = tl.constexpr(8)  # one after the other in a program: 128 windows of 64 channels


def check() -> None:
    """Build and launch every kernel; what is missing (a C compiler, a newer triton or GPU) raises its own."""
    x, channel = torch.zeros(1, 1, 2, 4, device="cuda"), torch.zeros(64, device="cuda")
    patch_sums(x)
    output, kept = winners(x, channel[:, None].expand(-1, 9), channel, channel, (2, 4), None, x.dtype)
    winner_sums(output, (2, 4), *kept)


def winners(
    x: Tensor,
    kernel: Tensor,
    slope: Tensor,
    offset: Tensor,
    pool: tuple[int, int],
    lengths: Tensor | None,
    dtype: torch.dtype,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """As `fused_training_cpu.winners`; where the output is 0, the winner's number is that of no position."""
    lines = as_lines(x)
    items, frames, bins = lines.shape
    output = x.new_empty(items, bins // pool[0], triton.cdiv(frames, pool[1]), len(kernel), dtype=dtype)
    winner = torch.empty_like(output, dtype=torch.uint8)
    read = [None if part is None else part.contiguous() for part in (lengths, kernel.T, slope, offset)]
    grid, sizes = _grid_and_sizes(output, pool)
    with torch.cuda.device_of(x):
        _winners[grid](lines, *read, output, winner, bins, frames, **sizes)
    return output, (lines, winner)


def winner_sums(
    gradient: Tensor, pool: tuple[int, int], lines: Tensor, winner: Tensor
) -> tuple[Tensor, Tensor]:
    """As `fused_training_cpu.winner_sums`."""
    _, frames, bins = lines.shape
    grid, sizes = _grid_and_sizes(winner, pool)
    partial = lines.new_empty(*grid, 10, sizes["CHANNELS"])
    with torch.cuda.device_of(lines):
        _winner_sums[grid](lines, gradient.contiguous(), winner, partial, bins, frames, **sizes)
    sums = partial.sum(dim=(0, 1), dtype=torch.float64)
    return sums[:9].T, sums[9]


def _grid_and_sizes(output: Tensor, pool: tuple[int, int]) -> tuple[tuple[int, int], dict[str, int]]:
    """Programs, each of TILES tiles in a row of bins of a clip, and the sizes that kernels are built for."""
    items, rows, windows, channels = output.shape
    block = triton.next_power_of_2(channels)
    tile = max(1, TILE.value // block)
    sizes = dict(BINS=pool[0], FRAMES=pool[1], CHANNELS=channels, CHANNEL_BLOCK=block, WINDOW_BLOCK=tile)
    return (items * rows, triton.cdiv(windows, tile * TILES.value)), sizes


@triton.jit
def _at(values, number: tl.constexpr, tap: tl.constexpr, FRAMES: tl.constexpr):
    """(windows, 1): what this tap of the kernel meets at this position of the windows."""
    return values[(number // FRAMES + tap // 3) * (FRAMES + 2) + number % FRAMES + tap % 3][:, None]


@triton.jit
def _tile(
    lines, window, channel, bins, frames, BINS: tl.constexpr, FRAMES: tl.constexpr, CHANNELS: tl.constexpr
):
    """The windows' values with a bin and frame around, the places of the output, and which of those exist."""
    row = tl.program_id(0).to(tl.int64)
    rows, windows = bins // BINS, tl.cdiv(frames, FRAMES)
    bin_ = (row % rows * BINS).to(tl.int32)
    clip = lines + row // rows * frames * bins
    values = surroundings(clip, bin_ - 1, window * FRAMES - 1, bins, frames, BINS + 2, FRAMES + 2)
    place = (row * windows + window)[:, None] * CHANNELS + channel
    return values, place, (window < windows)[:, None] & (channel < CHANNELS)


@triton.jit(do_not_specialize=["bins", "frames"])
def _winners(
    lines,  # float32, (B, T, F)
    lengths,  # integers, (B,), or None
    kernel,  # float32, (9, C)
    slope,  # float32, (C,)
    offset,  # float32, (C,)
    output,  # (B, F', T', C), written
    winner,  # uint8, as output, written
    bins,
    frames,
    BINS: tl.constexpr,
    FRAMES: tl.constexpr,
    CHANNELS: tl.constexpr,
    CHANNEL_BLOCK: tl.constexpr,
    WINDOW_BLOCK: tl.constexpr,
):
    end = frames
    if lengths is not None:
        end = tl.minimum(tl.load(lengths + tl.program_id(0) // (bins // BINS)), frames).to(tl.int32)
    # Broadcast before they are read: so a thread has 8 channels of one window, as it writes them, where of a
    # row of channels alone it would have one, and the values of 8 windows.
    channel = tl.broadcast_to(tl.arange(0, CHANNEL_BLOCK)[None, :], [WINDOW_BLOCK, CHANNEL_BLOCK])
    real = channel < CHANNELS
    taps = ()
    for tap in tl.static_range(TAPS):
        taps += (tl.load(kernel + tap * CHANNELS + channel, mask=real, other=0.0),)
    slopes = tl.load(slope + channel, mask=real, other=0.0)
    offsets = tl.load(offset + channel, mask=real, other=0.0)
    first = tl.program_id(1) * WINDOW_BLOCK * TILES
    last = tl.minimum(first + WINDOW_BLOCK * TILES, tl.cdiv(frames, FRAMES))
    for start in range(first, last, WINDOW_BLOCK):
        window = start + tl.arange(0, WINDOW_BLOCK)
        values, place, mask = _tile(lines, window, channel, bins, frames, BINS, FRAMES, CHANNELS)
        best = tl.full([WINDOW_BLOCK, CHANNEL_BLOCK], float("-inf"), tl.float32)
        which = tl.zeros([WINDOW_BLOCK, CHANNEL_BLOCK], tl.int32)
        for number in tl.static_range(BINS * FRAMES):
            value = tl.where(window * FRAMES + number % FRAMES < end, 0.0, BEHIND)[:, None]
            for tap in tl.static_range(TAPS):
                value += _at(values, number, tap, FRAMES) * taps[tap]
            better = value > best  # the first of equals wins, as in max_pool2d
            best = tl.where(better, value, best)
            which = tl.where(better, number, which)
        out = best * slopes + offsets
        dead = (out <= 0) | (window * FRAMES >= end)[:, None]
        tl.store(output + place, tl.where(dead, 0.0, out).to(output.dtype.element_ty), mask=mask)
        tl.store(winner + place, tl.where(dead, BINS * FRAMES, which).to(tl.uint8), mask=mask)


@triton.jit(do_not_specialize=["bins", "frames"])
def _winner_sums(
    lines,  # float32, (B, T, F)
    gradient,  # (B, F', T', C)
    winner,  # uint8, as gradient
    partial,  # float32, (programs, 10, C), written: of gradient times winning patch, and of gradient
    bins,
    frames,
    BINS: tl.constexpr,
    FRAMES: tl.constexpr,
    CHANNELS: tl.constexpr,
    CHANNEL_BLOCK: tl.constexpr,
    WINDOW_BLOCK: tl.constexpr,
):
    channel = tl.arange(0, CHANNEL_BLOCK)[None, :]
    sums = (tl.zeros([WINDOW_BLOCK, CHANNEL_BLOCK], tl.float32),) * (TAPS + 1)
    first = tl.program_id(1) * WINDOW_BLOCK * TILES
    last = tl.minimum(first + WINDOW_BLOCK * TILES, tl.cdiv(frames, FRAMES))
    for start in range(first, last, WINDOW_BLOCK):
        window = start + tl.arange(0, WINDOW_BLOCK)
        values, place, mask = _tile(lines, window, channel, bins, frames, BINS, FRAMES, CHANNELS)
        which = tl.load(winner + place, mask=mask, other=BINS * FRAMES).to(tl.int32)
        live = tl.load(gradient + place, mask=mask, other=0.0).to(tl.float32)
        # The patch of every position, times 0 where another has won: these values are in registers, and
        # the winner's would be 9 scattered reads for each channel.
        for number in tl.static_range(BINS * FRAMES):
            own = tl.where(which == number, live, 0.0)
            added = ()
            for tap in tl.static_range(TAPS):
                added += (sums[tap] + own * _at(values, number, tap, FRAMES),)
            sums = added + (sums[TAPS] + own,)
    partial += (tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)).to(tl.int64) * (TAPS + 1) * CHANNELS
    for tap in tl.static_range(TAPS + 1):
        total = tl.sum(sums[tap], axis=0)[None, :]
        tl.store(partial + tap * CHANNELS + channel, total, mask=channel < CHANNELS)
