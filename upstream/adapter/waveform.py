"""s3prl's list of waveforms as one padded batch. B: clips, N: samples."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


def pad_waveforms(wavs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Pad 1-D waveforms with zeros to (B, N); also their lengths in samples, (B,) on the CPU.

    Raises:
        ValueError: one line that names the item: no waveform at all, one that is not 1-D, is empty or holds
            NaN or infinity.
    """
    if len(wavs) == 0:
        raise ValueError("no waveforms: expected a list of 1-D tensors at 16 kHz, got an empty one")
    for item, wav in enumerate(wavs):
        if wav.dim() != 1 or wav.numel() == 0:
            raise ValueError(
                f"waveform {item} of the batch has shape {tuple(wav.shape)}: expected (samples,), one or more"
            )
    padded = pad_sequence(list(wavs), batch_first=True)
    finite = torch.isfinite(padded).all(dim=1).tolist()
    if not all(finite):
        raise ValueError(f"waveform {finite.index(False)} of the batch holds NaN or infinite samples")
    return padded, torch.tensor([len(wav) for wav in wavs])
