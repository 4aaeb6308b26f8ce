"""A recording: one rendition of one work, and the files that its sound is cut into."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from .arrange import arrange
from .rendition import Rendition
from .score import Score
from .work import Work

WAV_BYTES_PER_SAMPLE = 2
MP3_BYTES_PER_SECOND = 8000  # libsndfile's variable bit rate at 16 kHz mono stays below
FORMATS = {".mp3": ("MP3", "MPEG_LAYER_III"), ".wav": ("WAV", "PCM_16")}


@dataclass(frozen=True)
class Clip:
    """A file, by its path below the corpus, and its place in the recording."""

    path: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True)
class Recording:
    """What one worker renders at a time; with `other_sounds`, as render.py has them."""

    work: Work
    rendition: Rendition
    performer: str
    split: str
    sample_rate: int
    clips: tuple[Clip, ...]
    other_sounds: bool = False

    def __repr__(self) -> str:  # shown where a worker dies
        return f"<{self.clips[0].path}>"

    def score(self) -> Score:
        """Its score."""
        return arrange(self.work, self.rendition)

    def is_there(self, root: Path) -> bool:
        """Whether all its files are written; a file has its name only when it is whole."""
        return all((root / clip.path).exists() for clip in self.clips)

    def size_bytes(self) -> int:
        """About how much room its files take, from above."""
        seconds = sum(clip.end_seconds - clip.start_seconds for clip in self.clips)
        is_wav = self.clips[0].path.endswith(".wav")
        return round(seconds * (self.sample_rate * WAV_BYTES_PER_SAMPLE if is_wav else MP3_BYTES_PER_SECOND))


def record(recording: Recording, root: Path) -> None:
    """Render a recording and write its files below `root`. Raises OSError."""
    from .render import render  # needs the extra `demo`, which planning does not

    wav = render(recording.score(), recording.sample_rate, recording.other_sounds)
    for clip in recording.clips:
        first, end = (
            round(seconds * recording.sample_rate) for seconds in (clip.start_seconds, clip.end_seconds)
        )
        write_audio(root / clip.path, wav[first:end], recording.sample_rate)


def write_audio(path: Path, wav: np.ndarray, sample_rate: int) -> None:
    """Write samples in the format of the suffix; the file takes its name when it is whole. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    audio_format, subtype = FORMATS[path.suffix]
    partial = _partial(path)
    try:
        soundfile.write(partial, wav, sample_rate, format=audio_format, subtype=subtype)
    except soundfile.LibsndfileError as error:
        # libsndfile says no more than "System error" where the disk is full or the folder read-only.
        raise OSError(None, f"cannot be written ({error.error_string.strip()})", str(path)) from error
    partial.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a text file; it takes its name when it is whole. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _partial(path).write_text(text, encoding="utf-8")
    _partial(path).replace(path)


def _partial(path: Path) -> Path:
    # Hidden, and no audio by its suffix, so that no reader takes what a kill leaves behind for a clip.
    return path.with_name(f".{path.name}.part")
