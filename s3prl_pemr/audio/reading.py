"""Any audio file as 16 kHz mono samples; what cannot be trusted is refused by name."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import ffmpeg, libsndfile
from .mixing import Mixer
from .plausible import most_seconds
from .unreadable import NotRecognised, UnreadableAudio

SAMPLE_RATE = 16000
# Less is left of the channels' energy in mono: antiphase. Two unlike channels keep half of it.
CANCELLED_SHARE = 1e-3
NOT_AUDIO = "not audio, or in a format that neither libsndfile nor FFmpeg knows"


@dataclass(frozen=True)
class Recording:
    """A file's samples, float32 (samples,), and how much of its channels' energy is left in their mean."""

    wav: np.ndarray
    mono_share: float

    @property
    def cancelled(self) -> str:
        """What to say where the channels cancel each other, so that little is heard; '' where they do not."""
        if self.mono_share >= CANCELLED_SHARE:
            return ""
        return f"cancelled: mono has {self.mono_share:.0e} of the energy of its channels"


@dataclass(frozen=True)
class Header:
    """A file's duration without decoding it, as its header says, and the longest that is read."""

    seconds: float = 0.0
    most_seconds: float = 0.0

    @property
    def plausible(self) -> bool:
        """Whether the file can hold what its header claims."""
        return self.seconds <= self.most_seconds


def read_audio(path: str | os.PathLike, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """The samples of `read_recording`: float32, (samples,)."""
    return read_recording(path, sample_rate).wav


def read_recording(path: str | os.PathLike, sample_rate: int = SAMPLE_RATE) -> Recording:
    """Decode a whole file, average its channels, and resample it where its rate differs.

    Memory: about 8 bytes per sample of the result, 0.5 GB an hour, whatever the file's rate and channels are.

    Args:
        path: a file of any format, rate and number of channels that libsndfile or FFmpeg reads.
        sample_rate: of the result, Hz.

    Returns: values above 1 in magnitude are kept (mp3 decoders overshoot).

    Raises:
        UnreadableAudio: the file is missing, empty, not audio, damaged, truncated, too long, holds NaN or
            infinite samples, or has no samples.
    """
    path = Path(path)
    mixer = Mixer(path, _size_bytes(path), sample_rate)
    try:
        for rate, block in _blocks(path):
            mixer.add(rate, block)
        return Recording(mixer.finish(), mixer.mono_share)
    except MemoryError as error:
        reason = f"too long: the memory was full after {mixer.seconds:.0f} s"
        raise UnreadableAudio(path, reason) from error


def read_header(path: str | os.PathLike) -> Header:
    """Duration by the header alone; 0 where the file cannot be opened or does not say."""
    path = Path(path)
    try:
        size_bytes = _size_bytes(path)
        for decoder in _decoders(path):
            try:
                rate, seconds = decoder.rate_and_seconds(path)
            except NotRecognised:
                continue
            return Header(seconds, most_seconds(size_bytes, rate))
    except (UnreadableAudio, OSError):
        pass
    return Header()


def _size_bytes(path: Path) -> int:
    try:
        if path.is_dir():
            raise UnreadableAudio(path, "is a folder")
        size_bytes = path.stat().st_size
        if size_bytes == 0:
            raise UnreadableAudio(path, "is empty (0 bytes)")
        path.open("rb").close()
        return size_bytes
    except FileNotFoundError as error:
        raise UnreadableAudio(path, "no such file") from error
    except OSError as error:
        raise UnreadableAudio(path, f"cannot be opened ({error.strerror})") from error


def _decoders(path: Path) -> tuple:
    with path.open("rb") as file:
        exact = file.read(16).startswith(libsndfile.BEGINNINGS)
    return (libsndfile, ffmpeg) if exact else (ffmpeg, libsndfile)


def _blocks(path: Path) -> Iterator[tuple[int, np.ndarray]]:
    words = ""
    for decoder in _decoders(path):
        try:
            yield from decoder.blocks(path)
            return
        except NotRecognised as error:
            words = words or str(error)
    raise UnreadableAudio(path, NOT_AUDIO + (f" ({words})" if words else ""))
