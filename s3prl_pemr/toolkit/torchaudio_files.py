"""torchaudio.load, info and save by soundfile, for a torchaudio (2.9 or later) without torchcodec."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import BinaryIO

import soundfile
import torch
from torch import Tensor

# libsndfile's subtype -> (encoding, bits per sample), in torchaudio's words
_ENCODINGS = {
    "PCM_S8": ("PCM_S", 8),
    "PCM_U8": ("PCM_U", 8),
    "PCM_16": ("PCM_S", 16),
    "PCM_24": ("PCM_S", 24),
    "PCM_32": ("PCM_S", 32),
    "FLOAT": ("PCM_F", 32),
    "DOUBLE": ("PCM_F", 64),
    "ULAW": ("ULAW", 8),
    "ALAW": ("ALAW", 8),
    "VORBIS": ("VORBIS", 0),
    "OPUS": ("OPUS", 0),
    "MPEG_LAYER_III": ("MP3", 0),
}
_WAV_SUBTYPES = {
    torch.float32: "FLOAT",
    torch.float64: "DOUBLE",
    torch.int32: "PCM_32",
    torch.int16: "PCM_16",
}
_INTEGER_TYPES = {"PCM_16": "int16", "PCM_24": "int32", "PCM_32": "int32"}


@dataclass
class AudioMetaData:
    """What torchaudio.info returned up to 2.8."""

    sample_rate: int
    num_frames: int
    num_channels: int
    bits_per_sample: int
    encoding: str


def load(
    uri: str | PathLike | BinaryIO,
    frame_offset: int = 0,
    num_frames: int = -1,
    normalize: bool = True,
    channels_first: bool = True,
    format: str | None = None,
    buffer_size: int = 4096,
    backend: str | None = None,
) -> tuple[Tensor, int]:
    """Reads `num_frames` frames (-1: all) from `frame_offset` on.

    float32 in [-1, 1], or without `normalize` the integers of 16, 24 and 32 bit PCM. `format`, `buffer_size`
    and `backend` are taken and not needed, as in torchaudio 2.9.

    Returns: (channels, time), or (time, channels) without `channels_first`, and the sample rate in Hz.
    """
    with _opened(uri) as file:
        dtype = "float32" if normalize else _INTEGER_TYPES.get(file.subtype, "float32")
        file.seek(min(frame_offset, file.frames))
        frames = torch.from_numpy(file.read(num_frames, dtype=dtype, always_2d=True))  # (time, channels)
        return (frames.T.contiguous() if channels_first else frames), file.samplerate


def info(
    uri: str | PathLike | BinaryIO, format: str | None = None, backend: str | None = None
) -> AudioMetaData:
    """Length, rate and encoding of an audio file, by its header; `format` and `backend` are not needed."""
    with _opened(uri) as file:
        encoding, bits = _ENCODINGS.get(file.subtype, ("UNKNOWN", 0))
        if file.format == "FLAC":
            encoding = "FLAC"
        return AudioMetaData(file.samplerate, file.frames, file.channels, bits, encoding)


def save(
    uri: str | PathLike | BinaryIO,
    src: Tensor,
    sample_rate: int,
    channels_first: bool = True,
    format: str | None = None,
    encoding: str | None = None,
    bits_per_sample: int | None = None,
    buffer_size: int = 4096,
    backend: str | None = None,
    compression: float | int | None = None,
) -> None:
    """Writes (channels, time), or (time, channels) without `channels_first`.

    A wav file takes the tensor's own type (float32: 32 bit float), or `encoding` and `bits_per_sample`; other
    formats libsndfile's usual one. `buffer_size`, `backend` and `compression` are taken and not needed.
    """
    if src.dim() != 2:
        raise ValueError(
            f"torchaudio.save: expected (channels, time), got a tensor of shape {tuple(src.shape)}"
        )
    frames = (src.T if channels_first else src).detach().cpu().numpy()
    kind = format or (None if hasattr(uri, "write") else Path(uri).suffix[1:])
    subtype = _WAV_SUBTYPES.get(src.dtype) if kind and kind.lower() == "wav" else None
    if encoding or bits_per_sample:
        asked = (encoding or "PCM_S", bits_per_sample or (32 if encoding == "PCM_F" else 16))
        subtype = next((name for name, row in _ENCODINGS.items() if row == asked), subtype)
    soundfile.write(_plain(uri), frames, int(sample_rate), subtype=subtype, format=kind)


def _opened(uri: str | PathLike | BinaryIO) -> soundfile.SoundFile:
    if not hasattr(uri, "read") and not Path(uri).is_file():
        raise FileNotFoundError(f"{uri}: no such audio file")
    try:
        return soundfile.SoundFile(_plain(uri))
    except soundfile.LibsndfileError as error:
        # RuntimeError is what torchaudio raised; libsndfile's own text may claim that the file does not exist
        raise RuntimeError(
            f"{uri}: not an audio file that libsndfile can read ({error.error_string})"
        ) from None


def _plain(uri: str | PathLike | BinaryIO) -> str | BinaryIO:
    return fspath(uri) if isinstance(uri, (str, PathLike)) else uri
