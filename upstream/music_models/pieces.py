"""Clips of any lengths through a network that takes equal ones: no masks, and never a whole hour at once.

A network here is an nn.Module with `samples_per_frame`, `longest_samples` (a multiple of it) and
`forward(wavs)`: (B, N) at 16 kHz, of one length -> {key: [layer, ...]}, each layer (B, T, D) with T about
N / samples_per_frame. B: clips, N: samples, T: frames, D: width.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s3prl_pemr.features.waveforms import MIN_SAMPLES

AT_ONCE = 8  # pieces: of 30 s at most, so four minutes


def piece_samples(samples: int, longest_samples: int, samples_per_frame: int) -> int:
    """Of the equal parts of a clip, whole frames each: as few as are no longer than `longest_samples`."""
    count = math.ceil(samples / longest_samples)
    return math.ceil(samples / count / samples_per_frame) * samples_per_frame


def hear(network: nn.Module, wavs: Sequence[Tensor]) -> list[dict[str, list[Tensor]]]:
    """What a network makes of each clip, whatever it is batched with.

    Args:
        wavs: (N,) each, of any lengths; shorter ones than MIN_SAMPLES are heard with silence behind.

    Returns: for each clip {key: [layer, ...]}, each layer (ceil(N / samples_per_frame), D).
    """
    pieces: list[Tensor] = []
    ends = []  # of each clip in `pieces`
    for wav in wavs:
        pieces += wav.split(piece_samples(len(wav), network.longest_samples, network.samples_per_frame))
        ends.append(len(pieces))
    heard: dict[int, dict[str, list[Tensor]]] = {}
    for places in _alike(pieces):
        heard |= zip(places, _heard_together(network, [pieces[place] for place in places]), strict=True)
    clips = [[heard[place] for place in range(first, end)] for first, end in pairwise([0, *ends])]
    return [
        {
            key: [torch.cat(parts) for parts in zip(*(piece[key] for piece in clip), strict=True)]
            for key in clip[0]
        }
        for clip in clips
    ]


def _alike(pieces: Sequence[Tensor]) -> Iterator[list[int]]:
    """Places of pieces of one length, AT_ONCE at most."""
    lengths = defaultdict(list)
    for place, piece in enumerate(pieces):
        lengths[len(piece)].append(place)
    for places in lengths.values():
        for first in range(0, len(places), AT_ONCE):
            yield places[first : first + AT_ONCE]


def _heard_together(network: nn.Module, pieces: Sequence[Tensor]) -> list[dict[str, list[Tensor]]]:
    batch = torch.stack(list(pieces))
    frames = math.ceil(batch.shape[1] / network.samples_per_frame)
    found = network(F.pad(batch, (0, max(MIN_SAMPLES - batch.shape[1], 0))))
    fitting = {key: [_fit(layer, frames) for layer in layers] for key, layers in found.items()}
    return [
        {key: [layer[place] for layer in layers] for key, layers in fitting.items()}
        for place in range(len(pieces))
    ]


def _fit(layer: Tensor, frames: int) -> Tensor:
    """(B, any, D) -> (B, frames, D): cut, or the last frame again where the network leaves out an end."""
    missing = max(frames - layer.shape[1], 0)
    return torch.cat([layer[:, :frames], layer[:, -1:].expand(-1, missing, -1)], dim=1)
