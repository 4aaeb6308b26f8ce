"""Clips of a store with their targets, whole or as random crops. B: clips, T: tags."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from s3prl_pemr.audio import to_float32
from s3prl_pemr.features.waveforms import pad_to
from s3prl_pemr.store import AudioStore
from s3prl_pemr.task.randomness import crop_generator


class Clips(Dataset):
    """The clips of one split, in the store's order: (wav, float32 (samples,); targets (T,); name).

    Args:
        store: the audio.
        tracks: indices of the split's clips in the store.
        targets: float32, (tracks, T).
        shortest_samples: shorter clips are padded with zeros to this length.
    """

    def __init__(self, store: AudioStore, tracks: np.ndarray, targets: np.ndarray, shortest_samples: int):
        self.store, self.tracks, self.targets = store, tracks, targets
        self.shortest_samples = shortest_samples

    def __len__(self) -> int:
        return len(self.tracks)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, str]:
        wav = to_float32(self.read(index))
        return wav, self.targets[index], self.store.tracks[self.tracks[index]]

    def read(self, index: int) -> np.ndarray:
        """The whole clip: int16, (samples,)."""
        return self.store.read(int(self.tracks[index]))

    def collate(self, items: list) -> tuple[list[np.ndarray], Tensor, list[str]]:
        """A batch as the toolkit wants it, the waveforms first: B of (samples,), targets (B, T), names."""
        wavs, targets, names = zip(*items, strict=True)
        padded = [pad_to(wav, self.shortest_samples) for wav in wavs]
        return padded, torch.from_numpy(np.stack(targets)), list(names)


class CroppedClips(Clips):
    """One random crop of each clip, another one each epoch; a clip that is shorter than a crop stays whole.

    Args:
        crop_samples: length of a crop.
        seed, epoch: what the crops are drawn from, besides the clip.
    """

    def __init__(self, *args, crop_samples: int, seed: int, epoch: int):
        super().__init__(*args)
        self.crop_samples, self.seed, self.epoch = crop_samples, seed, epoch

    def read(self, index: int) -> np.ndarray:
        """A crop: int16, (crop_samples or less,)."""
        track = int(self.tracks[index])
        length = int(self.store.length_samples[track])
        samples = min(length, self.crop_samples)
        start = int(crop_generator(self.seed, self.epoch, track).integers(length - samples + 1))
        return self.store.read(track, start, samples)
