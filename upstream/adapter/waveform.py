"""s3prl's list of waveforms as one padded batch. B: clips, N: samples."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

logger = logging.getLogger(__name__)

LOUDEST_PEAK = 8.0  # beyond what a resampler or a loud float file overshoots [-1, 1]
_warned: set[str] = set()  # of peaks, once a process


def pad_waveforms(wavs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Pad 1-D waveforms with zeros to (B, N), float32; also their lengths in samples, (B,) on the CPU.

    Warns once a process of a peak far beyond 1: int16 values as floats give finite features that are wrong.

    Raises:
        ValueError: one line that names the item: no waveform at all, one that is not 1-D, is empty, is not of
            floats, or holds NaN or infinity.
    """
    if len(wavs) == 0:
        raise ValueError("no waveforms: expected a list of 1-D tensors at 16 kHz, got an empty one")
    for item, wav in enumerate(wavs):
        if wav.dim() != 1 or wav.numel() == 0:
            raise ValueError(
                f"waveform {item} of the batch has shape {tuple(wav.shape)}: expected (samples,), one or more"
            )
        if not wav.is_floating_point():
            kind = str(wav.dtype).removeprefix("torch.")
            raise ValueError(
                f"waveform {item} of the batch holds {kind}: expected floats up to 1; divide int16 by 32768"
            )
    padded = pad_sequence([wav.float() for wav in wavs], batch_first=True)
    lowest, highest = padded.aminmax(dim=1)  # not abs(): of hours that would be as much memory again
    peaks = torch.maximum(-lowest, highest)
    finite = torch.isfinite(peaks).tolist()
    if not all(finite):
        raise ValueError(f"waveform {finite.index(False)} of the batch holds NaN or infinite samples")
    if "peak" not in _warned and peaks.max() > LOUDEST_PEAK:
        _warned.add("peak")
        logger.warning(
            "waveform %d of the batch has a peak of %g: expected floats in [-1, 1], features of others are "
            "wrong; divide int16 values by 32768 (said once)",
            int(peaks.argmax()), float(peaks.max()),
        )  # fmt: skip
    return padded, torch.tensor([len(wav) for wav in wavs])
