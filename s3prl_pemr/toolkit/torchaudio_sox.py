"""torchaudio.sox_effects without SoX: the effects that s3prl's tasks use, as far as they are simple."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike

import soxr
import torch
from torch import Tensor

from . import torchaudio_files


def apply_effects_file(
    path: str | PathLike,
    effects: Sequence[Sequence[str]],
    normalize: bool = True,
    channels_first: bool = True,
    format: str | None = None,
) -> tuple[Tensor, int]:
    """Reads a file and applies `effects`, e.g. [["channels", "1"], ["rate", "16000"], ["gain", "-3.0"]]."""
    wav, sample_rate = torchaudio_files.load(
        path, normalize=normalize, channels_first=channels_first, format=format
    )
    return apply_effects_tensor(wav, sample_rate, effects, channels_first)


def apply_effects_tensor(
    tensor: Tensor, sample_rate: int, effects: Sequence[Sequence[str]], channels_first: bool = True
) -> tuple[Tensor, int]:
    """Applies `effects` to (channels, time), or to (time, channels) without `channels_first`."""
    wav = tensor if channels_first else tensor.T  # (channels, time)
    for name, *options in effects:
        if name not in _EFFECTS:
            raise RuntimeError(
                f"SoX effect {name!r} needs torchaudio<2.9, which had SoX; there are {sorted(_EFFECTS)}"
            )
        wav, sample_rate = _EFFECTS[name](wav, sample_rate, *options)
    return (wav if channels_first else wav.T), sample_rate


def _channels(wav: Tensor, sample_rate: int, number: str) -> tuple[Tensor, int]:
    if int(number) == len(wav):
        return wav, sample_rate
    if int(number) == 1:
        return wav.mean(dim=0, keepdim=True), sample_rate
    if len(wav) == 1:
        return wav.repeat(int(number), 1), sample_rate
    raise RuntimeError(
        f"SoX effect 'channels': {len(wav)} to {number} channels needs torchaudio<2.9, which had SoX"
    )


def _rate(wav: Tensor, sample_rate: int, *options: str) -> tuple[Tensor, int]:
    wanted = int(float(options[-1]))  # options before it choose the quality: soxr's HQ is SoX's default
    if wanted == sample_rate:
        return wav, sample_rate
    resampled = soxr.resample(wav.T.contiguous().numpy(), sample_rate, wanted)  # (time, channels)
    return torch.from_numpy(resampled).T.contiguous(), wanted


def _gain(wav: Tensor, sample_rate: int, decibels: str = "0") -> tuple[Tensor, int]:
    if decibels == "-n":
        return _norm(wav, sample_rate)
    return (wav * 10 ** (float(decibels) / 20)).clamp(-1, 1), sample_rate  # SoX clips too


def _norm(wav: Tensor, sample_rate: int, decibels: str = "0") -> tuple[Tensor, int]:
    peak = wav.abs().max() if wav.numel() else wav.new_zeros(())
    return (wav / peak * 10 ** (float(decibels) / 20) if peak > 0 else wav), sample_rate


def _pad(wav: Tensor, sample_rate: int, before: str = "0", after: str = "0") -> tuple[Tensor, int]:
    samples = [round(float(seconds) * sample_rate) for seconds in (before, after)]
    return torch.nn.functional.pad(wav, samples), sample_rate


def _trim(wav: Tensor, sample_rate: int, start: str, length: str | None = None) -> tuple[Tensor, int]:
    first = round(float(start) * sample_rate)
    last = None if length is None else first + round(float(length) * sample_rate)
    return wav[:, first:last], sample_rate


def _reverse(wav: Tensor, sample_rate: int) -> tuple[Tensor, int]:
    return wav.flip(-1), sample_rate


_EFFECTS: dict[str, Callable[..., tuple[Tensor, int]]] = {
    "channels": _channels,
    "rate": _rate,
    "gain": _gain,
    "norm": _norm,
    "pad": _pad,
    "trim": _trim,
    "reverse": _reverse,
}
