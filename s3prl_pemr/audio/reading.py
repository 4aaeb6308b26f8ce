"""Any audio file that libsndfile reads, as 16 kHz mono samples; what cannot be trusted is refused by name."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from s3prl_pemr.report.printable import visible

from .truncation import truncation

SAMPLE_RATE = 16000
BLOCK_FRAMES = 1 << 18
NOT_RECOGNISED = (1, 7)  # libsndfile's codes; 7 is worded "File does not exist" for a file that is no mp3
# Suffixes of audio that libsndfile cannot decode: worth a better reason than "not audio".
FOREIGN_SUFFIXES = frozenset(
    (".aac", ".ac3", ".alac", ".amr", ".ape", ".dff", ".dsf", ".dts", ".m4a", ".m4b", ".mka", ".mp4", ".mpc")
    + (".ra", ".tta", ".webm", ".wma", ".wv")
)


class _FromStartToEnd(soundfile.SoundFile):
    """Reads without the seek that soundfile makes after every read.

    The seek restarts an mp3 decoder, and fails at the end of a streamed flac, whose header has no length.
    """

    def seekable(self) -> bool:
        return False


class UnreadableAudio(ValueError):
    """A file that cannot be used as audio: `path`, and `reason` in one line that does not repeat the path."""

    def __init__(self, path: str | os.PathLike, reason: str):
        super().__init__(str(path), reason)  # both in args, so that it survives pickling
        self.path, self.reason = str(path), reason

    def __str__(self) -> str:
        return visible(f"{self.path}: {self.reason}")


def read_audio(path: str | os.PathLike, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Decode a whole file, average its channels, and resample it where its rate differs.

    Memory: about 8 bytes per frame of the source: 1.3 GB for an hour at 44.1 kHz.

    Args:
        path: a file of any format, rate and number of channels that libsndfile reads.
        sample_rate: of the result, Hz.

    Returns: float32, (samples,). Values above 1 in magnitude are kept (mp3 decoders overshoot).

    Raises:
        UnreadableAudio: the file is missing, empty, not audio, damaged, truncated, holds NaN or infinite
            samples, or has no samples.
    """
    path = Path(path)
    _check_there(path)
    try:
        with _FromStartToEnd(_native(path)) as file:
            wav, source_rate = _decode(path, file), file.samplerate
    except soundfile.LibsndfileError as error:
        raise UnreadableAudio(path, _open_reason(path, error)) from error
    if not np.isfinite(wav).all():
        bad = np.count_nonzero(~np.isfinite(wav))
        raise UnreadableAudio(path, f"{bad} of {len(wav)} samples are NaN or infinite")
    if source_rate != sample_rate and len(wav):
        wav = soxr.resample(wav, source_rate, sample_rate)
    if len(wav) == 0:
        raise UnreadableAudio(path, "holds no samples")
    return wav


def header_seconds(path: str | os.PathLike) -> float:
    """Duration by the header alone, in seconds; 0 where the file cannot be opened or does not say."""
    try:
        info = soundfile.info(_native(Path(path)))
    except (soundfile.LibsndfileError, OSError):
        return 0.0
    return info.frames / info.samplerate if info.frames < 1 << 62 else 0.0


def _native(path: Path) -> str | bytes:
    # Bytes, because soundfile cannot encode a name that is not valid UTF-8; Windows wants text.
    return os.fspath(path) if os.name == "nt" else os.fsencode(path)


def _check_there(path: Path) -> None:
    try:
        if path.is_dir():
            raise UnreadableAudio(path, "is a folder")
        if path.stat().st_size == 0:
            raise UnreadableAudio(path, "is empty (0 bytes)")
        path.open("rb").close()
    except FileNotFoundError as error:
        raise UnreadableAudio(path, "no such file") from error
    except OSError as error:
        raise UnreadableAudio(path, f"cannot be opened ({error.strerror})") from error


def _open_reason(path: Path, error: soundfile.LibsndfileError) -> str:
    if path.suffix.lower() in FOREIGN_SUFFIXES:
        return f"libsndfile does not read {path.suffix.lower()} files; convert it, for example to flac"
    if error.code in NOT_RECOGNISED:
        return "not audio, or in a format that libsndfile does not know"
    return f"cannot be opened as audio ({_one_line(error)})"


def _decode(path: Path, file: soundfile.SoundFile) -> np.ndarray:
    """Every frame of the file, channels averaged: float32, (frames,)."""
    blocks, frames_read = [], 0
    try:
        for block in _blocks(file):
            frames_read += len(block)
            blocks.append(block[:, 0] if file.channels == 1 else block.mean(axis=1))
    except soundfile.LibsndfileError as error:
        seconds = frames_read / file.samplerate
        reason = f"damaged or truncated: decoding stopped after {seconds:.1f} s ({_one_line(error)})"
        raise UnreadableAudio(path, reason) from error
    except MemoryError as error:
        seconds = frames_read / file.samplerate
        raise UnreadableAudio(path, f"too long: the memory was full after {seconds:.0f} s") from error
    reason = truncation(path, file, frames_read)
    if reason:
        raise UnreadableAudio(path, reason)
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _blocks(file: soundfile.SoundFile) -> Iterator[np.ndarray]:
    while len(block := file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
        yield block


def _one_line(error: soundfile.LibsndfileError) -> str:
    return " ".join(error.error_string.replace("Error : ", "").split()).rstrip(".")
