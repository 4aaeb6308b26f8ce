"""The audio store: all tracks of a data set in one memory-mapped file, from which crops are cheap to read."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

import numpy as np

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.report.printable import printable
from s3prl_pemr.safety.positional_read import read_into

from .index import AUDIO_FILE, INDEX_FILE, REBUILD, SAMPLE_BYTES, Entry, StoreError, read_index
from .state import folders_of

__all__ = ["AudioStore", "StoreError"]

DRAW_SPLITS = (
    "prepare folder --split-by 80/10/10, run again on the same store, draws splits and leaves the audio alone"
)


class AudioStore:
    """Read-only view of a folder that `s3prl-pemr prepare` wrote (format: index.py), or joined (parts.py).

    Pickling sends the index, not the audio: data-loader workers open the file themselves.

    Args:
        path: the folder.
        may_lack_audio: of parts that other machines have: reading a track of one is an error then.

    Attributes:
        folders: where the audio lies: the folder, or those of its parts.
        tracks: names, in the order of the audio; of a joined store in that of the names, so that nothing
            depends on how many parts there are.
        length_samples: int64, (tracks,).
        splits: one name per track, '' where the data set has none.
        labels: a list of names per track.
        notes: '', 'silent', 'clipped N samples, peak P' or 'cancelled: mono has ...' per track.
        sample_rate: Hz.
        crc32: of each track's audio, uint32, (tracks,).
        part_numbers: which of `folders` has each track's audio, int32, (tracks,).
        fingerprint: sha256 over track names, lengths and audio checksums; splits and labels do not count.

    Raises:
        StoreError: the folder is no store, prepare has not come to its end, or its files do not fit together.
    """

    def __init__(self, path: str | Path, may_lack_audio: bool = False):
        self.path, self._may_lack_audio = Path(path), may_lack_audio
        self.sample_rate = SAMPLE_RATE
        self.folders = folders_of(self.path)
        entries, self.part_numbers = self._read_entries()
        self.tracks = [entry.track for entry in entries]
        self.splits = [entry.split for entry in entries]
        self.labels = [list(entry.labels) for entry in entries]
        self.notes = [entry.note for entry in entries]
        self.length_samples = np.array([entry.length_samples for entry in entries], dtype=np.int64)
        self.crc32 = np.array([entry.crc32 for entry in entries], dtype=np.uint32)
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
            number = self.part_numbers[track]
            audio = self._audio[number]
            if audio is None:
                raise StoreError(
                    f"{self.folders[number] / AUDIO_FILE}: is not here, and {self.tracks[track]} is asked for"
                )
            if not read_into(crop[:count], audio, int(first) * SAMPLE_BYTES):
                raise StoreError(
                    f"{self.folders[number] / AUDIO_FILE}: has been cut off since; copy it again or {REBUILD}"
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

    def _read_entries(self) -> tuple[list[Entry], np.ndarray]:
        """All tracks in the store's order, and the number of each one's folder, int32, (tracks,)."""
        entries: list[Entry] = []
        numbers: list[int] = []
        self._audio_samples = []
        for number, folder in enumerate(self.folders):
            own, _ = read_index(folder / INDEX_FILE)
            if not own and len(self.folders) == 1:
                raise StoreError(f"{folder}: the store holds no tracks; its unreadable.tsv says why")
            entries += own
            numbers += [number] * len(own)
            self._audio_samples.append(own[-1].end_samples if own else 0)
        if len(self.folders) > 1:
            order = sorted(range(len(entries)), key=lambda row: entries[row].track)
            entries, numbers = [entries[row] for row in order], [numbers[row] for row in order]
            for before, entry in zip(entries, entries[1:], strict=False):
                if before.track == entry.track:
                    raise StoreError(
                        f"{self.path}: the track {printable(entry.track)} is in two of its parts"
                    )
        return entries, np.array(numbers, dtype=np.int32)

    def _open_audio(self) -> None:
        self._audio: list[FileIO | None] = []
        for folder, samples in zip(self.folders, self._audio_samples, strict=True):
            audio_path = folder / AUDIO_FILE
            if self._may_lack_audio and not audio_path.exists():
                self._audio.append(None)
                continue
            there = audio_path.stat().st_size if audio_path.exists() else 0
            if there != samples * SAMPLE_BYTES:
                raise StoreError(
                    f"{audio_path}: {there} bytes, but {INDEX_FILE} says {samples * SAMPLE_BYTES}; copy it "
                    f"again or {REBUILD}"
                )
            self._audio.append(audio_path.open("rb", buffering=0))

    def __getstate__(self) -> dict:
        return {name: value for name, value in self.__dict__.items() if name != "_audio"}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._open_audio()
