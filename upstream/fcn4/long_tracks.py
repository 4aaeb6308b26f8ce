"""Encode tracks of any length in bounded memory, exactly. B: clips, N: samples, T': encoder frames.

An encoder frame sees 85 log-mel frames beyond its own 128 on either side (one per 3 x 3 convolution, times
the pooling before it: 1 + 4 + 16 + 64), so a window computed with one more encoder frame on both sides,
thrown away afterwards, equals the same frames of the whole track.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .encoder import FCN4, POOLED_FRAMES
from .frontend import LogMel, frame_count

# Encoder frames, about 13 MB of activations each. A clip of 29 s on a CPU: more would leave its caches; nine
# on a GPU, which one does not fill, in 4 GB.
FRAMES_AT_ONCE, FRAMES_AT_ONCE_ON_GPU = 32, 288


def encode_batch(frontend: LogMel, encoder: FCN4, wavs: Tensor, lengths: Tensor) -> Tensor:
    """Log-mel and encoder over a whole padded batch at once: the reference, and what training uses.

    Args:
        wavs: (B, N), zero behind each item's end.
        lengths: samples of each item, (B,).

    Returns: (B, T', D), zero behind each item's ceil(length / 16384) frames.
    """
    frames = frontend(wavs)
    lengths = frame_count(lengths, frontend.config.hop_samples).to(wavs.device)
    inside = torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]
    return encoder(frames * inside[..., None], lengths)


def encode_in_windows(frontend: LogMel, encoder: FCN4, wavs: Tensor, lengths: Tensor) -> Tensor:
    """The same as `encode_batch` for an encoder in eval mode, in memory that does not grow with B * N.

    Args and returns: as `encode_batch`.
    """
    hop = frontend.config.hop_samples
    stride = hop * POOLED_FRAMES  # samples in an encoder frame
    context_frames = frame_count(frontend.config.n_fft // 2, hop)
    total = frame_count(wavs.shape[1], stride)
    at_once = FRAMES_AT_ONCE_ON_GPU if wavs.is_cuda else FRAMES_AT_ONCE
    items = max(1, at_once // total)
    groups = []
    for group, group_lengths in zip(wavs.split(items), lengths.split(items), strict=True):
        windows = []
        for first in range(0, total, at_once):
            last = min(first + at_once, total)
            begin, end = max(first - 1, 0) * stride, (last + 1) * stride
            if (group_lengths <= first * stride).all():  # all of these items have ended
                width = encoder.output_dim(frontend.config.n_mels)
                windows.append(wavs.new_zeros(len(group), last - first, width, dtype=encoder.dtype))
                continue
            # more on the left: the frames centred there are damaged by the cut, and dropped
            context = context_frames * hop if begin > 0 else 0
            window = group[:, begin - context : end]
            frames = frontend(window)[:, context // hop :]
            left = (
                frame_count((group_lengths - begin).clamp(min=0), hop)
                .clamp(max=frames.shape[1])
                .to(wavs.device)
            )
            inside = torch.arange(frames.shape[1], device=frames.device) < left[:, None]
            encoded = encoder(frames * inside[..., None], left)
            kept = first - begin // stride
            windows.append(encoded[:, kept : kept + last - first])
        groups.append(torch.cat(windows, dim=1))
    return torch.cat(groups)
