"""Sums over all 3 x 3 patches of the frames, and of their products, as one Triton kernel.

B: clips, F: mel bins, T: log-mel frames. Importing this file imports triton.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

PATCHES = tl.constexpr(
    32
)  # at a time, one to a thread with its 55 sums: a single warp has no other to wait for
ROUNDS = tl.constexpr(32)


def patch_sums(x: Tensor) -> tuple[Tensor, Tensor]:
    """As `fused_training_cpu.patch_sums`: in float32 over 1,024 patches, from there on in float64."""
    lines = as_lines(x)
    items, frames, bins = lines.shape
    grid = items, triton.cdiv(frames * bins, PATCHES.value * ROUNDS.value)
    partial = x.new_empty(*grid, 10, 10)
    with torch.cuda.device_of(x):  # triton launches on the current device
        _patch_sums[grid](lines, partial, bins, frames, num_warps=1)
    sums = partial.sum(dim=(0, 1), dtype=torch.float64)
    return sums[9, :9], sums[:9, :9]


def as_lines(x: Tensor) -> Tensor:
    """(B, 1, F, T) -> (B, T, F), which is how the encoder's frames lie in memory already."""
    return x[:, 0].transpose(1, 2).contiguous()


@triton.jit
def surroundings(clip, bin_, frame, bins, frames, HEIGHT: tl.constexpr, WIDTH: tl.constexpr):
    """The HEIGHT * WIDTH values from this bin and frame on, bin by bin, each a tensor; 0 outside the clip."""
    values = ()
    for row in tl.static_range(HEIGHT):
        for column in tl.static_range(WIDTH):
            b, t = bin_ + row, frame + column
            inside = (b >= 0) & (b < bins) & (t >= 0) & (t < frames)
            values += (tl.load(clip + t * bins + b, mask=inside, other=0.0),)
    return values


# Lengths are not specialised on: the first batch of another crop length would wait for a compiler.
@triton.jit(do_not_specialize=["bins", "frames"])
def _patch_sums(
    lines,  # float32, (B, T, F)
    partial,  # float32, (programs, 10, 10), written: products of the 9 taps and a 1
    bins,
    frames,
):
    clip = lines + tl.program_id(0).to(tl.int64) * frames * bins
    first = tl.program_id(1) * PATCHES * ROUNDS
    sums = (tl.zeros([PATCHES], tl.float32),) * 55
    for start in range(first, tl.minimum(first + PATCHES * ROUNDS, frames * bins), PATCHES):
        place = start + tl.arange(0, PATCHES)
        inside = place < frames * bins
        frame = tl.where(inside, place // bins, frames + 1)  # no patch reaches back from there
        taps = surroundings(clip, place % bins - 1, frame - 1, bins, frames, 3, 3)
        taps += (tl.where(inside, 1.0, 0.0),)
        added = ()
        for tap in tl.static_range(10):
            for other in tl.static_range(tap + 1):
                added += (sums[tap * (tap + 1) // 2 + other] + taps[tap] * taps[other],)
        sums = added
    partial += (tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)) * 100
    for tap in tl.static_range(10):
        for other in tl.static_range(tap + 1):
            total = tl.sum(sums[tap * (tap + 1) // 2 + other], axis=0)
            tl.store(partial + tap * 10 + other, total)
            tl.store(partial + other * 10 + tap, total)
