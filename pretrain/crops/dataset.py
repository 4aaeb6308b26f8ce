"""Pairs of random crops of one track, with all that is drawn for them. B: tracks, N: samples, L: frames."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from s3prl.pretrain.augment import AugmentConfig, Draws, draw
from s3prl.upstream.fcn4.frontend import frame_count
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from s3prl_pemr.report.printable import printable
from s3prl_pemr.store import AudioStore

from .corruption import Corruption, FrameDraws
from .device_store import AUTO as WHERE_IT_FITS
from .device_store import WAYS
from .heard import AUTO, heard_tracks
from .randomness import crop_generator, order_generator

logger = logging.getLogger(__name__)
BRANCHES = 2  # crops of a track


@dataclass
class DataConfig:
    """Where the audio is and how it is cut (paper 3.1, 4.1.3); `datarc` of the runner's yaml."""

    store: str = ""
    split: str = AUTO
    train_batch_size: int = 48
    crop_samples: int = 43_200
    num_workers: int = 2
    statistics_clips: int = 4_096
    store_on_device: str = WHERE_IT_FITS
    batches_by_part: bool = False
    seed: int = 1337

    def __post_init__(self):
        if not self.store:
            raise ValueError(
                "store is empty: name the folder that `s3prl-pemr prepare` wrote, for instance "
                "-o config.pretrain_expert.datarc.store=STORE"
            )
        if self.train_batch_size < 2:
            raise ValueError(
                f"train_batch_size {self.train_batch_size}: the losses compare clips, at least 2"
            )
        if self.crop_samples < 1 or self.statistics_clips < 1 or self.num_workers < 0 or self.seed < 0:
            raise ValueError("crop_samples and statistics_clips must be >= 1, num_workers and seed >= 0")
        if self.store_on_device not in WAYS:
            raise ValueError(f"store_on_device {self.store_on_device!r} is not one of {', '.join(WAYS)}")


@dataclass
class Batch:
    """The first crops of B tracks, then their second crops.

    crops: (2 B, N) int16; None where the device has the store. places: track and first sample of each, int64,
    (2, 2 B). draws: augmentation of each crop, on the CPU. corruption: (2 B, L), None for none.
    """

    crops: Tensor | None
    places: Tensor
    draws: Draws
    corruption: Corruption | None

    def pin_memory(self) -> Batch:
        """Called by DataLoader for the copy to CUDA."""
        if self.crops is not None:
            self.crops = self.crops.pin_memory()
        if self.corruption is not None:
            self.corruption = Corruption(
                self.corruption.masked.pin_memory(), self.corruption.source.pin_memory()
            )
        return self


class CropPairs(Dataset):
    """Reads whole batches: `__getitems__` of (epoch, track) keys gives a `Batch`.

    `reads`: whether with their crops; not needed where the device has the store.
    """

    reads = True

    def __init__(
        self,
        store: AudioStore,
        config: DataConfig,
        augment: AugmentConfig,
        corruption: FrameDraws | None,
        sample_rate: int,
        hop_samples: int,
    ):
        """Choose the tracks that are heard.

        Args:
            store: the audio.
            config: which of it, and how it is cut.
            augment, corruption: what is drawn for each crop, and for its frames (None: nothing).
            sample_rate: that the model expects, Hz.
            hop_samples: between the frames that the corruption is drawn for.

        Raises:
            ValueError: one line: fewer tracks than a batch, no such split, another sample rate.
        """
        if store.sample_rate != sample_rate:
            raise ValueError(
                f"{config.store} is at {store.sample_rate} Hz, the model's front end at {sample_rate}"
            )
        self.store, self.config = store, config
        self.augment, self.corruption, self.sample_rate = augment, corruption, sample_rate
        self.frames = frame_count(config.crop_samples, hop_samples)
        self.tracks = heard_tracks(store, config.split)
        if len(self.tracks) < config.train_batch_size:
            raise ValueError(
                f"{config.store}: {len(self.tracks)} tracks, fewer than train_batch_size "
                f"{config.train_batch_size} (datarc.split {config.split!r}; the store holds {len(store)})"
            )
        short = [store.tracks[t] for t in self.tracks if store.length_samples[t] < config.crop_samples]
        if short:
            logger.warning(
                "%d tracks are shorter than a crop (%d samples) and end in silence: %s%s",
                len(short), config.crop_samples, ", ".join(map(printable, short[:5])),
                " ..." if len(short) > 5 else "",
            )  # fmt: skip

    def __len__(self) -> int:
        return len(self.tracks)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> Batch:
        generators = [
            crop_generator(self.config.seed, epoch, track, branch)
            for branch in range(BRANCHES)
            for epoch, track in keys
        ]
        tracks = np.array([track for _, track in keys] * BRANCHES)
        latest = np.maximum(self.store.length_samples[tracks] - self.config.crop_samples, 0)
        starts = np.array([g.integers(last + 1) for g, last in zip(generators, latest, strict=True)])
        crops = self.store.gather(tracks, starts, self.config.crop_samples) if self.reads else None
        return Batch(
            crops=None if crops is None else torch.from_numpy(crops),
            places=torch.from_numpy(np.stack([tracks, starts])),
            draws=draw(self.augment, generators, self.sample_rate),
            corruption=self.corruption.draw(generators, self.frames) if self.corruption else None,
        )


class EpochBatches(Sampler):
    """Shuffled batches of (epoch, track) keys; this process's share of each. The last short batch is dropped.

    With `parts`, a number for each track, every batch has as many tracks of each part, one part after the
    other: a process needs those of its share alone, and batches do not depend on the number of processes.

    `epoch` and `first_batch` say where the next iteration starts; it moves on to the next epoch by itself.
    """

    def __init__(
        self,
        tracks: np.ndarray,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        parts: np.ndarray | None = None,
    ):
        if batch_size % world_size:
            raise ValueError(f"train_batch_size {batch_size} is not a multiple of {world_size} processes")
        if world_size > 1 and batch_size // world_size < 2:
            raise ValueError(
                f"train_batch_size {batch_size} leaves each of {world_size} processes one clip: at least 2"
            )
        self.tracks, self.batch_size, self.seed = tracks, batch_size, seed
        self.groups = [tracks] if parts is None else [tracks[parts == part] for part in np.unique(parts)]
        self.of_group, left = divmod(batch_size, len(self.groups))
        if left:
            raise ValueError(f"train_batch_size {batch_size} is not a multiple of {len(self.groups)} parts")
        if min(map(len, self.groups)) < self.of_group:
            raise ValueError(
                f"train_batch_size {batch_size} wants {self.of_group} tracks of each of {len(self.groups)} "
                f"parts; one has {min(map(len, self.groups))}"
            )
        share = batch_size // world_size
        self.share = slice(rank * share, (rank + 1) * share)
        self.epoch = 0
        self.first_batch = 0

    def __len__(self) -> int:
        return min(map(len, self.groups)) // self.of_group

    @property
    def read_tracks(self) -> np.ndarray:
        """Those that this process may be asked for."""
        first, last = self.share.start // self.of_group, -(-self.share.stop // self.of_group)
        return np.concatenate(self.groups[first:last])

    @property
    def counted_tracks(self) -> np.ndarray:
        """Of all processes together each track once: what this one adds to a sum over all tracks."""
        size = self.share.stop - self.share.start
        own = [
            group
            for place, group in enumerate(self.groups)
            if place * self.of_group // size == self.share.start // size
        ]
        return np.concatenate([self.tracks[:0], *own])

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch, first_batch = self.epoch, self.first_batch
        batches = self.whole_batches(epoch)
        for tracks in batches[first_batch:]:
            yield [(epoch, int(track)) for track in tracks[self.share]]
        self.epoch, self.first_batch = epoch + 1, 0

    def whole_batches(self, epoch: int) -> np.ndarray:
        """The tracks of each batch of an epoch, of all processes together: (batches, batch_size)."""
        generator, count = order_generator(self.seed, epoch), len(self) * self.of_group
        orders = [generator.permutation(group)[:count] for group in self.groups]
        return np.concatenate([order.reshape(len(self), self.of_group) for order in orders], axis=1)


def as_read(batch: Batch) -> Batch:
    """DataLoader's collate function: the data set has made the batch."""
    return batch
