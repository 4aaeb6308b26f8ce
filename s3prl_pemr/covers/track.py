"""What is heard of a file, and what is known of it afterwards. E: width of an embedding, T: columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from s3prl.downstream.cover_song.cqt.cache import Transform
from s3prl.downstream.cover_song.cqt.columns import SECONDS
from s3prl.downstream.cover_song.cqt.transform import by_peak, cqt_columns

from s3prl_pemr.audio import UnreadableAudio, read_recording, to_float32, to_int16

PIECE_COLUMNS, PIECE_HOP_COLUMNS = 60, 15  # 28 s every 7 s
CHROMA_SCALE = 255  # chroma is kept as bytes


@dataclass(frozen=True)
class Heard:
    """What a model needs of a file, or the `reason` why there is nothing.

    Attributes:
        wav: float32, (samples,).
        cqt: float32, (84, columns).
        note: where little is heard because the channels cancel each other.
    """

    wav: np.ndarray | None = None
    cqt: np.ndarray | None = None
    reason: str = ""
    note: str = ""

    @property
    def silent(self) -> bool:
        """Whether there is nothing to hear."""
        return self.wav is not None and not self.wav.any()


@dataclass(frozen=True)
class Known:
    """A track as an index has it.

    Attributes:
        embedding: float32, (E,).
        chroma: uint8, (12, T): tonal_chroma times CHROMA_SCALE; None in indexes of version 0.1.
        pieces: float16, (pieces, E): embeddings of PIECE_COLUMNS every PIECE_HOP_COLUMNS; None likewise.
    """

    embedding: np.ndarray
    chroma: np.ndarray | None
    pieces: np.ndarray | None

    @property
    def silent(self) -> bool:
        """Whether it has no embedding."""
        return not self.embedding.any()


def hear(path: str) -> Heard:
    """Read a file as prepare and the CQT cache would keep it: int16, float16."""
    return with_cqt(read(path))


def read(path: str) -> Heard:
    """The same without its CQT."""
    try:
        recording = read_recording(path)
    except UnreadableAudio as error:
        return Heard(reason=error.reason)
    return Heard(to_float32(to_int16(recording.wav)[0]), note=recording.cancelled)


def with_cqt(read: Heard, transform: Transform = cqt_columns) -> Heard:
    """With its CQT, where there is anything to hear."""
    if read.wav is None:
        return read
    return replace(read, cqt=by_peak(transform(read.wav)).astype(np.float16).astype(np.float32))


def heard(wav: np.ndarray, note: str = "") -> Heard:
    """The same as `hear` of samples: float32, (samples,)."""
    return with_cqt(Heard(to_float32(to_int16(wav)[0]), note=note))


def piece_starts(columns: int) -> list[int]:
    """First columns of the pieces of a track: one of a short one; the last one ends where the track does."""
    last = max(columns - PIECE_COLUMNS, 0)
    starts = list(range(0, last + 1, PIECE_HOP_COLUMNS))
    return starts if starts[-1] == last else [*starts, last]


def clock(columns: float) -> str:
    """A place in a track for people: 1:23."""
    seconds = round(columns * SECONDS)
    return f"{seconds // 60}:{seconds % 60:02d}"
