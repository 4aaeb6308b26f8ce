"""Pitch shift at unchanged length: WSOLA with a band-limited read. B: clips, N: samples, K: segment edges.

Segment edges stand every 32 ms of the output. Edge k has a place in the input, within 16 ms of its own time
(further where that would read past an end of the clip), and the input around the place is read `ratio` times
as fast; between two edges the two reads are cross-faded. The first sample is the clip's own and the last
segments are read from the clip's end, with no fade: the level holds up to both ends.
"""

import functools
import logging
from collections.abc import Callable

import torch
from torch import Tensor

from s3prl_pemr.loops.device import to_device

from .fft_length import fast_fft_length
from .splice_search import SpliceSearch, edge_places
from .spline_read import OVERSAMPLING, read_spline, spline_coefficients

logger = logging.getLogger(__name__)

HOP_SECONDS = 0.032
REACH_SECONDS = 0.016  # searched to each side: 32 ms in all, one period of 31 Hz
MINIMUM_SECONDS = 0.2  # shorter clips are returned unchanged: there is no room to search
LIMIT_CENTS = 1200.0
CPU_BLOCK = 4  # clips read at a time: their temporaries fit a CPU cache, which halves the cost of the read


def pitch_shift(wavs: Tensor, pitch_cents: Tensor, sample_rate: int) -> Tensor:
    """Shift the pitch of each clip, keeping its length, tempo and level.

    Content that a shift up would carry past the Nyquist frequency is removed. Noise, whose segments cannot be
    matched, loses about 1 dB in the cross-fades. Transients may be doubled or dropped by up to 16 ms.

    Args:
        wavs: (B, N). Clips below MINIMUM_SECONDS are returned unchanged.
        pitch_cents: (B,), on the CPU, within +-1200; 0 returns the clip unchanged.
        sample_rate: in Hz.

    Returns: (B, N).

    Raises:
        ValueError: a shift of more than an octave, or of NaN.
    """
    if not bool((pitch_cents.abs() <= LIMIT_CENTS).all()):
        raise ValueError(f"pitch_cents: {pitch_cents.abs().max()} is beyond +-{LIMIT_CENTS:g}")
    if wavs.shape[1] < MINIMUM_SECONDS * sample_rate or len(wavs) == 0:
        return wavs
    ratio = torch.exp2(to_device(pitch_cents.double() / 1200.0, wavs.device))
    hop = round(HOP_SECONDS * sample_rate)
    pad = 2 * hop
    # The mirror keeps the level at the ends: the FFT, being circular, would see the clip's other end there.
    padded = torch.nn.functional.pad(wavs, (pad, pad), mode="reflect")
    spectrum = torch.fft.rfft(padded, n=fast_fft_length(padded.shape[1]))
    reach = round(REACH_SECONDS * sample_rate)
    search = SpliceSearch(padded, spectrum, hop, reach)
    places = _edge_places(search, ratio, wavs.shape[1], hop, reach, pad)
    coefficients = spline_coefficients(spectrum, ratio.float())
    block = CPU_BLOCK if wavs.device.type == "cpu" else len(wavs)
    blocks = zip(coefficients.split(block), places.split(block), ratio.split(block), strict=True)
    shifted = torch.cat([_cross_fade(*part, hop) for part in blocks])[:, : wavs.shape[1]]
    return torch.where((ratio == 1.0)[:, None], wavs, shifted)


def _edge_places(search: SpliceSearch, ratio: Tensor, samples: int, hop: int, reach: int, pad: int) -> Tensor:
    """Input place of every segment edge, (B, K), such that no segment reads past either end of the clip."""
    edges = -(-samples // hop) + 1
    due = hop * torch.arange(edges, device=ratio.device)  # (K,), output time of each edge
    overlap = ratio * hop
    highest = samples - 1 - ratio[:, None] * (samples - 1 - due).clamp(max=hop)  # (B, K)
    lowest = pad + (highest - 2 * reach).minimum(due - reach).maximum(overlap[:, None])
    return _walk(ratio.device.type)(search, overlap, lowest, pad)


@functools.cache
def _walk(device_type: str) -> Callable[[SpliceSearch, Tensor, Tensor, int], Tensor]:
    """What walks the edges: a Triton kernel on a GPU that can have one; it is asked for once."""
    if device_type != "cuda":
        return edge_places
    try:
        from . import splice_search_triton

        if splice_search_triton.buildable():
            return splice_search_triton.edge_places
        reason = "this GPU is older than triton's oldest"
    except Exception as error:  # without triton, a C compiler, Python's headers ... each raises its own
        reason = f"{type(error).__name__}: {error}"
    logger.warning(f"pitch shift: no Triton kernel ({reason}); the search in torch takes many times as long")
    return edge_places


def _cross_fade(coefficients: Tensor, places: Tensor, ratio: Tensor, hop: int) -> Tensor:
    """Between two edges, fade from the read that goes on from one place to that which arrives at the next."""
    steps = torch.arange(hop, device=places.device)
    grid = places * OVERSAMPLING
    first = grid.floor().long()[:, :, None]  # (B, K, 1)
    fraction = (grid - grid.floor()).float()[:, :, None]
    forward = (OVERSAMPLING * ratio[:, None] * steps).float()[:, None]  # (B, 1, hop)
    backward = (OVERSAMPLING * ratio[:, None] * (steps - hop)).float()[:, None]
    leaving = read_spline(coefficients, first[:, :-1], fraction[:, :-1] + forward)
    arriving = read_spline(coefficients, first[:, 1:], fraction[:, 1:] + backward)
    weight = 0.5 - 0.5 * torch.cos(torch.pi * steps / hop)
    return torch.lerp(leaving, arriving, weight).flatten(1)
