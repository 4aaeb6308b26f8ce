"""Files that libsndfile reads to the sample: wav, flac, aiff, au, caf, Ogg, ..."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from .ffmpeg import packets_seconds
from .ogg import ogg_damage
from .unreadable import NotRecognised, UnreadableAudio, one_line

# How such files begin. libsndfile knows mp3 too, but believes its length tag and stops there.
BEGINNINGS = (
    *(b"RIFF", b"RIFX", b"RF64", b"FORM", b".snd", b"caff", b"fLaC", b"OggS", b"riff"),
    *(b"Creative", b"NIST_1A"),
)
LEFT_TO_FFMPEG = "MP3"
BLOCK_SAMPLES = 1 << 18  # of all channels together
NOT_RECOGNISED = (1, 7)  # libsndfile's codes; 7 is worded "File does not exist" for a file that is no mp3
UNKNOWN_LENGTH = 1 << 62
# Some writers count their headers of some 40 bytes as samples.
TOLERANCE_SECONDS, TOLERANCE_BEHIND_SECONDS = 0.005, 0.1
# A wav or aiff written to a pipe declares one of the largest sizes there are: unknown, not truncated.
PLACEHOLDER_BYTES = 0x7FFFF000
# libsndfile's log of the file: "data : 3528000 (should be 1763978)", likewise for aiff (SSND) and au.
DECLARED_BYTES = re.compile(r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
# "*** Unknown chunk marker (FBBDFEEB) at position 176444. Exiting parser."
NO_CHUNK = re.compile(r"[Mm]arker.* at position (\d+)")


class _FromStartToEnd(soundfile.SoundFile):
    """Reads without the seek that soundfile makes after every read.

    The seek fails at the end of a streamed flac, whose header has no length.
    """

    def seekable(self) -> bool:
        return False


def blocks(path: Path) -> Iterator[tuple[int, np.ndarray]]:
    """The file's rate and its samples, block by block: float32, (frames, channels).

    Raises:
        NotRecognised: before the first block, where the file is left to FFmpeg.
        UnreadableAudio: the file is damaged or truncated.
    """
    with _opened(path) as file:
        frames_read, block_frames = 0, max(1, BLOCK_SAMPLES // file.channels)
        try:
            while len(block := file.read(block_frames, dtype="float32", always_2d=True)):
                frames_read += len(block)
                yield file.samplerate, block
        except soundfile.LibsndfileError as error:
            seconds = frames_read / file.samplerate
            reason = f"damaged or truncated: decoding stopped after {seconds:.1f} s"
            raise UnreadableAudio(path, f"{reason} ({one_line(error.error_string)})") from error
        missing = _truncation(file, frames_read) or _more_than_declared(path, file, frames_read)
        if file.format == "OGG":
            missing = missing or ogg_damage(path)
        if file.format == "FLAC":
            missing = missing or _frames_behind(path, frames_read / file.samplerate)
        if missing:
            raise UnreadableAudio(path, missing)


def rate_and_seconds(path: Path) -> tuple[int, float]:
    """What the header says; 0 seconds where it does not say. Raises NotRecognised."""
    with _opened(path) as file:
        seconds = file.frames / max(file.samplerate, 1)
        return file.samplerate, seconds if file.frames < UNKNOWN_LENGTH else 0.0


def _opened(path: Path) -> soundfile.SoundFile:
    # Bytes, because soundfile cannot encode a name that is not valid UTF-8; Windows wants text.
    try:
        file = _FromStartToEnd(os.fspath(path) if os.name == "nt" else os.fsencode(path))
    except soundfile.LibsndfileError as error:
        raise NotRecognised("" if error.code in NOT_RECOGNISED else one_line(error.error_string)) from error
    if file.format == LEFT_TO_FFMPEG:
        file.close()
        raise NotRecognised
    return file


def _truncation(file: soundfile.SoundFile, frames_read: int) -> str | None:
    declared_frames = float(file.frames) if file.frames < UNKNOWN_LENGTH else 0.0
    declared = DECLARED_BYTES.search(file.extra_info)
    if declared:
        declared_bytes, actual_bytes = map(int, declared.groups())
        if declared_bytes < PLACEHOLDER_BYTES:
            declared_frames = frames_read * declared_bytes / max(actual_bytes, 1)
    if frames_read + TOLERANCE_SECONDS * file.samplerate >= declared_frames:
        return None
    seconds, declared_seconds = frames_read / file.samplerate, declared_frames / file.samplerate
    return f"truncated: {seconds:.2f} s could be read, its header says {declared_seconds:.2f} s"


def _more_than_declared(path: Path, file: soundfile.SoundFile, frames_read: int) -> str | None:
    """A wav or aiff whose header says too little: what follows its samples is no chunk, and not padding."""
    position = NO_CHUNK.search(file.extra_info)
    if not position or not frames_read:
        return None
    with path.open("rb") as raw:
        raw.seek(int(position[1]))
        rest_bytes = len(raw.read().strip(b"\0"))
    seconds = frames_read / file.samplerate
    # A second of what was read takes this many bytes, give or take the header.
    if rest_bytes < TOLERANCE_BEHIND_SECONDS * int(position[1]) / seconds:
        return None
    return (
        f"its header says {seconds:.1f} s, and {rest_bytes:,} bytes more that are no chunk follow; write it "
        "anew, for example with 'ffmpeg -ignore_length 1 -i OLD.wav NEW.wav'"
    )


def _frames_behind(path: Path, seconds: float) -> str | None:
    """A flac whose header says too little: libsndfile stops there, and frames follow."""
    try:
        there = packets_seconds(path)
    except (NotRecognised, UnreadableAudio):
        return None  # libsndfile has read all that the header says
    if there <= seconds + TOLERANCE_BEHIND_SECONDS:
        return None
    return f"its header says {seconds:.1f} s, and it holds {there:.1f} s; write it anew"
