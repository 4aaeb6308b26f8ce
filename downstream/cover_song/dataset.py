"""Tracks as the head and the upstream see them: whole, or cropped for training. B: tracks, T: columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from s3prl_pemr.audio import SAMPLE_RATE, to_float32
from s3prl_pemr.features.waveforms import pad_to
from s3prl_pemr.task.randomness import crop_generator

from .config import AugmentConfig, DataConfig
from .cqt.augment import augment, change_speed
from .cqt.cache import CqtCache
from .cqt.crops import draw_crop, draw_windows
from .cqt.joined import JoinedCqt
from .cqt.transform import column_count
from .splits import Split

# The toolkit runs its upstream on something in every step; this is what it gets where the head needs none.
UNHEARD = np.zeros(SAMPLE_RATE, np.float32)


class WholeTracks(Dataset):
    """Items (wavs, CQT or None, class, name); the wavs are a list of one whole track, or empty.

    Args:
        split: which tracks.
        classes: a number per track; -1 where it has none.
        cqt: columns of the split's store, None if the head has no network.
        waveforms: whether the upstream is to hear them.
        shortest_samples: shorter waveforms are padded with zeros to this length.
    """

    def __init__(
        self,
        split: Split,
        classes: list[int],
        cqt: CqtCache | JoinedCqt | None,
        waveforms: bool,
        shortest_samples: int,
    ):
        self.split, self.classes, self.cqt = split, classes, cqt
        self.waveforms, self.shortest_samples = waveforms, shortest_samples

    def __len__(self) -> int:
        return len(self.split.tracks)

    def __getitem__(self, index: int) -> tuple[list[np.ndarray], np.ndarray | None, int, str]:
        track = int(self.split.tracks[index])
        wavs = [to_float32(self.split.store.read(track))] if self.waveforms else []
        cqt = None if self.cqt is None else self.cqt.read(track)
        return wavs, cqt, self.classes[index], self.split.store.tracks[track]

    def collate(
        self, items: list
    ) -> tuple[list[np.ndarray], list[Tensor] | Tensor | None, Tensor, list[str]]:
        """A batch as the toolkit wants it: all waveforms, CQTs of (84, T), classes (B,), names."""
        wavs, cqts, classes, names = zip(*items, strict=True)
        heard = [pad_to(wav, self.shortest_samples) for own in wavs for wav in own]
        found = None if self.cqt is None else [torch.from_numpy(np.ascontiguousarray(cqt)) for cqt in cqts]
        return heard or [UNHEARD], found, torch.tensor(classes), list(names)


class CroppedTracks(WholeTracks):
    """A random crop of each track, another one each epoch; its items are asked for by (index, crop columns).

    Args:
        datarc, augmentrc: of the task's config.
        windows: a trained upstream hears that many within the crop instead of the track; 0: the track.
        seed, epoch: what crops and augmentation are drawn from, besides the track.
    """

    def __init__(
        self,
        *whole: Any,
        datarc: DataConfig,
        augmentrc: AugmentConfig,
        windows: int,
        seed: int,
        epoch: int,
    ):
        super().__init__(*whole)
        self.datarc, self.augmentrc, self.windows = datarc, augmentrc, windows
        self.seed, self.epoch = seed, epoch

    def __getitem__(  # type: ignore[override]  # of its items a sampler draws the widths too
        self, item: tuple[int, int]
    ) -> tuple[list[np.ndarray], np.ndarray | None, int, str]:
        index, columns = item
        store, track = self.split.store, int(self.split.tracks[index])
        generator = crop_generator(self.seed, self.epoch, track)
        length = int(store.length_samples[track])
        crop = draw_crop(column_count(length), columns, self.augmentrc.speed, generator)
        wavs, cqt = [], None
        if self.windows:
            samples = self.datarc.window_samples
            starts = draw_windows(crop, length, samples, self.windows, generator)
            wavs = list(to_float32(store.gather([track] * self.windows, starts, samples)))
        elif self.waveforms:
            wavs = [to_float32(store.read(track))]
        if self.cqt is not None:
            cqt = change_speed(self.cqt.read(track, crop.first, crop.source), crop.columns)
            cqt = augment(np.pad(cqt, ((0, 0), (0, columns - crop.columns))), self.augmentrc, generator)
        return wavs, cqt, self.classes[index], store.tracks[track]

    def collate(self, items: list) -> tuple[list[np.ndarray], Tensor | None, Tensor, list[str]]:
        """As of whole tracks, with the CQTs of one length stacked: (B, 84, T)."""
        wavs, cqts, classes, names = super().collate(items)
        return wavs, None if cqts is None else torch.stack(cqts), classes, names
