"""The audio store: all tracks of a data set in one memory-mapped file, from which crops are cheap to read."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.safety.positional_read import read_into

from .index import (
    AUDIO_FILE,
    FORMAT_VERSION,
    INDEX_FILE,
    REBUILD,
    SAMPLE_BYTES,
    STATE_FILE,
    StoreError,
    read_index,
)

__all__ = ["AudioStore", "StoreError"]

DRAW_SPLITS = (
    "prepare folder --split-by 80/10/10, run again on the same store, draws splits and leaves the audio alone"
)


class AudioStore:
    """Read-only view of a folder that `s3prl-pemr prepare` wrote (format: index.py).

    Pickling sends the index, not the audio: data-loader workers open the file themselves.

    Args:
        path: the folder.

    Attributes:
        tracks: names, in the order of the audio.
        length_samples: int64, (tracks,).
        splits: one name per track, '' where the data set has none.
        labels: a list of names per track.
        notes: '', 'silent', 'clipped N samples, peak P' or 'cancelled: mono has ...' per track.
        sample_rate: Hz.
        fingerprint: sha256 over track names, lengths and audio checksums; splits and labels do not count.

    Raises:
        StoreError: the folder is no store, prepare has not come to its end, or its files do not fit together.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.sample_rate = SAMPLE_RATE
        self._check_state()
        entries, _ = read_index(self.path / INDEX_FILE)
        if not entries:
            raise StoreError(f"{self.path}: the store holds no tracks; its unreadable.tsv says why")
        self.tracks = [entry.track for entry in entries]
        self.splits = [entry.split for entry in entries]
        self.labels = [list(entry.labels) for entry in entries]
        self.notes = [entry.note for entry in entries]
        self.length_samples = np.array([entry.length_samples for entry in entries], dtype=np.int64)
        self._offset_samples = np.array([entry.offset_samples for entry in entries], dtype=np.int64)
        identity = hashlib.sha256()
        for entry in entries:
            line = f"{entry.track}\t{entry.length_samples}\t{entry.crc32:08x}\n"
            identity.update(line.encode("utf-8", "surrogateescape"))
        self.fingerprint = identity.hexdigest()
        self._open_audio()

    def __len__(self) -> int:
        return len(self.tracks)

    def read(self, track_index: int, start_sample: int = 0, length_samples: int | None = None) -> np.ndarray:
        """One stretch of one track, with the rules of `gather`; to the track's end if no length is given.

        Returns: int16, (length_samples,).
        """
        if length_samples is None:
            length_samples = int(self.length_samples[track_index]) - start_sample
        return self.gather([track_index], [start_sample], length_samples)[0]

    def gather(
        self, track_indices: Sequence[int], start_samples: Sequence[int], length_samples: int
    ) -> np.ndarray:
        """A batch of crops, copied out of the file.

        Args:
            track_indices: (B,).
            start_samples: where each crop begins in its track, (B,).
            length_samples: of every crop; behind a track that ends earlier there are zeros.

        Returns: int16, (B, length_samples).

        Raises:
            IndexError: no such track, or a start outside its track.
        """
        crops = np.zeros((len(track_indices), length_samples), dtype=np.int16)
        for crop, track, start in zip(crops, track_indices, start_samples, strict=True):
            left = self.length_samples[track] - start
            if start < 0 or left < 0:
                raise IndexError(
                    f"{self.tracks[track]}: no sample {start} in its {self.length_samples[track]} samples"
                )
            first = self._offset_samples[track] + start
            count = min(left, length_samples)
            if not read_into(crop[:count], self._audio, int(first) * SAMPLE_BYTES):
                raise StoreError(
                    f"{self.path / AUDIO_FILE}: has been cut off since; copy it again or {REBUILD}"
                )
        return crops

    def select(self, split: str | None) -> np.ndarray:
        """Indices of the tracks of one split; of all tracks for None or ''.

        Returns: int64, (tracks of the split,).

        Raises:
            StoreError: no track has that split; the message lists those there are.
        """
        if not split:
            return np.arange(len(self), dtype=np.int64)
        chosen = np.flatnonzero(np.array(self.splits) == split).astype(np.int64)
        if len(chosen) == 0:
            counts = Counter(self.splits)
            there = ", ".join(f"{name or '(none)'}: {counts[name]} tracks" for name in sorted(counts))
            remedy = "" if any(self.splits) else f"; {DRAW_SPLITS}"
            raise StoreError(f"{self.path}: no track is in the split '{split}'; there are {there}{remedy}")
        return chosen

    def _check_state(self) -> None:
        state_path = self.path / STATE_FILE
        try:
            state = json.loads(state_path.read_text(encoding="utf-8"))
        except OSError as error:
            raise StoreError(
                f"{self.path}: not an audio store ({STATE_FILE}: {error.strerror}); "
                "write one with 's3prl-pemr prepare folder SRC DST'"
            ) from error
        except ValueError as error:
            raise StoreError(f"{state_path}: damaged; {REBUILD}") from error
        if not isinstance(state, dict):
            raise StoreError(f"{state_path}: damaged; {REBUILD}")
        if state.get("format") != FORMAT_VERSION or state.get("sample_rate") != SAMPLE_RATE:
            raise StoreError(f"{state_path}: written by another version of s3prl-pemr; {REBUILD}")
        if not state.get("complete"):
            raise StoreError(f"{self.path}: prepare was interrupted; run the same prepare command again")

    def _open_audio(self) -> None:
        audio_path = self.path / AUDIO_FILE
        samples = int(self._offset_samples[-1] + self.length_samples[-1])
        there = audio_path.stat().st_size if audio_path.exists() else 0
        if there != samples * SAMPLE_BYTES:
            raise StoreError(
                f"{audio_path}: {there} bytes, but {INDEX_FILE} says {samples * SAMPLE_BYTES}; copy it again "
                f"or {REBUILD}"
            )
        self._audio = audio_path.open("rb", buffering=0)

    def __getstate__(self) -> dict:
        return {name: value for name, value in self.__dict__.items() if name != "_audio"}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._open_audio()
