"""WSOLA's search as one Triton kernel. B: clips, N: samples, K: segment edges, T: template.

On a GPU the search in torch is bound by its launches: 85 edges of some 50 small operations each, one edge
after the other. Here a program walks the edges of one clip by itself, so that a batch is one launch and its
clips run side by side. `splice_search.py` says what is searched and why; its places are met to rounding.
Importing this file imports triton.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from . import splice_search
from .splice_search import SpliceSearch

DECIMATION = tl.constexpr(splice_search.DECIMATION)
FINE_REACH = tl.constexpr(splice_search.FINE_REACH)
FINE_LAGS = tl.constexpr(2 * splice_search.FINE_REACH + 3)
FINE_BLOCK = tl.constexpr(triton.next_power_of_2(2 * splice_search.FINE_REACH + 3))
# The tiles' other side. Coarse, a thread has a lag and sums 16 products at a time in its registers; fine, a
# thread has a sample of the template and holds every lag.
COARSE_CHUNK = tl.constexpr(16)
FINE_CHUNK = tl.constexpr(256)
WARPS = 8  # 256 threads: the 129 lags at 16 kHz, as a power of two


def buildable() -> bool:
    """Whether triton can build for the present GPU; without a C compiler or a driver it raises instead."""
    triton.runtime.driver.active.get_current_target()
    return torch.version.hip is not None or torch.cuda.get_device_capability() >= (7, 0)


def edge_places(search: SpliceSearch, overlap: Tensor, lowest: Tensor, first_place: int) -> Tensor:
    """As `splice_search.edge_places`: (B,) and (B, K) to (B, K), all float64. The CPU never waits for it."""
    signals = [lines.contiguous() for lines in (search.wavs, search.decimated, search.template_norms)]
    lowest = lowest.contiguous()
    places = torch.empty_like(lowest)
    with torch.cuda.device_of(places):  # triton launches on the current device
        _walk[(len(places),)](
            *(*signals, search.price, overlap.contiguous(), lowest, places),
            *(*(lines.stride(0) for lines in signals), places.shape[1], first_place),
            HOP=search.hop_samples,
            LAGS=search.lags,
            BLOCK=triton.next_power_of_2(search.lags),
            num_warps=WARPS,
        )
    return places


# Lengths are not specialised on: the first batch of another crop length would wait for a compiler.
@triton.jit(do_not_specialize=["wav_stride", "decimated_stride", "norm_stride", "edges", "first_place"])
def _walk(
    wavs,  # float32, (B, N)
    decimated,  # float32, (B, N / DECIMATION)
    norms,  # float32, (B, ...), inverse norm of the template at every start in `decimated`
    price,  # float32, (LAGS,)
    overlaps,  # float64, (B,)
    lowest,  # float64, (B, K)
    places,  # float64, (B, K), written
    wav_stride,
    decimated_stride,
    norm_stride,
    edges,
    first_place,
    HOP: tl.constexpr,
    LAGS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    HALF: tl.constexpr = HOP // 2
    clip = tl.program_id(0).to(tl.int64)
    wavs += clip * wav_stride
    decimated += clip * decimated_stride
    norms += clip * norm_stride
    lowest += clip * edges
    places += clip * edges
    overlap = tl.load(overlaps + clip)
    place = first_place.to(tl.float64)
    tl.store(places, place)
    for edge in range(1, edges):
        natural = place + overlap
        middle = natural - overlap / 2
        start = ((middle - HALF) / DECIMATION).to(tl.int64)
        first_step = tl.ceil((tl.load(lowest + edge) - natural) / DECIMATION).to(tl.int64)
        lag = _best_lag(decimated, norms, price, start, start + first_step, HOP // DECIMATION, LAGS, BLOCK)
        step = DECIMATION * (first_step + lag)
        start = middle.to(tl.int64) - HALF // 2
        place = natural + step.to(tl.float64) + _finest_offset(wavs, start, start + step, HALF).to(tl.float64)
        tl.store(places + edge, place)


@triton.jit
def _best_lag(signal, norms, price, start, first, T: tl.constexpr, LAGS: tl.constexpr, BLOCK: tl.constexpr):
    """Lag from `first` of the highest correlation with the T samples at `start`, less its price."""
    lag = tl.arange(0, BLOCK)
    match = tl.zeros([BLOCK], tl.float32)
    for chunk in range(0, T, COARSE_CHUNK):
        t = chunk + tl.arange(0, COARSE_CHUNK)
        template = tl.load(signal + start + t, mask=t < T, other=0.0)
        inside = (t < T)[:, None] & (lag < LAGS)[None, :]
        region = tl.load(signal + first + t[:, None] + lag[None, :], mask=inside, other=0.0)
        match += tl.sum(region * template[:, None], axis=0)
    scale = tl.load(norms + first + lag, mask=lag < LAGS, other=0.0) * tl.load(norms + start)
    score = match * scale - tl.load(price + lag, mask=lag < LAGS, other=0.0)
    score = tl.where(score != score, float("inf"), score)  # NaN wins, as in torch: the lag stays in the range
    return tl.argmax(tl.where(lag < LAGS, score, float("-inf")), axis=0)


@triton.jit
def _finest_offset(signal, start, expected, T: tl.constexpr):
    """Offset from `expected`, in samples, of the stretch nearest to the T samples at `start`: float32."""
    lag = tl.arange(0, FINE_BLOCK)
    squares = tl.zeros([FINE_CHUNK, FINE_BLOCK], tl.float32)
    first = expected - (FINE_REACH + 1)
    for chunk in range(0, T, FINE_CHUNK):
        t = chunk + tl.arange(0, FINE_CHUNK)
        template = tl.load(signal + start + t, mask=t < T, other=0.0)
        inside = (t < T)[:, None] & (lag < FINE_LAGS)[None, :]
        region = tl.load(signal + first + t[:, None] + lag[None, :], mask=inside, other=0.0)
        squares += (region - template[:, None]) * (region - template[:, None])
    difference = tl.sum(squares, axis=0)
    ranked = tl.where(difference != difference, float("-inf"), difference)
    best = tl.argmin(tl.where((lag > 0) & (lag < FINE_LAGS - 1), ranked, float("inf")), axis=0)
    left = tl.sum(tl.where(lag == best - 1, difference, 0.0), axis=0)
    least = tl.sum(tl.where(lag == best, difference, 0.0), axis=0)
    right = tl.sum(tl.where(lag == best + 1, difference, 0.0), axis=0)
    vertex = 0.5 * (left - right) / (left + right - 2 * least)
    vertex = tl.where(vertex != vertex, 0.0, tl.minimum(tl.maximum(vertex, -0.5), 0.5))
    return best.to(tl.float32) + vertex - (FINE_REACH + 1)
