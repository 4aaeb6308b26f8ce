"""Which stretch of a track a step sees, and in which order and lengths the tracks come. T: columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from s3prl_pemr.audio import SAMPLE_RATE

from .columns import SECONDS

COLUMN_SAMPLES = SECONDS * SAMPLE_RATE  # 7,430.4


@dataclass(frozen=True)
class Crop:
    """`source` columns from `first` on, which the change of speed makes `columns`."""

    first: int
    source: int
    columns: int


def draw_crop(
    track_columns: int, crop_columns: int, speed: Sequence[float], generator: np.random.Generator
) -> Crop:
    """A crop of `crop_columns` after a change of speed drawn from [lowest, highest]; a shorter track whole.

    At speed 2 a track lasts half as long: the crop is made of twice as many of its columns.
    """
    factor = generator.uniform(*speed)
    source = min(max(round(crop_columns * factor), 1), track_columns)
    first = int(generator.integers(track_columns - source + 1))
    return Crop(first, source, min(max(round(source / factor), 1), crop_columns))


def draw_windows(
    crop: Crop, length_samples: int, window_samples: int, windows: int, generator: np.random.Generator
) -> np.ndarray:
    """First samples of the windows that a trained upstream hears: int64, (windows,), within the crop's time.

    Where the crop is shorter than a window, they all begin with it, and end in zeros behind the track.
    """
    first = min(round(crop.first * COLUMN_SAMPLES), length_samples)
    end = min(round((crop.first + crop.source) * COLUMN_SAMPLES), length_samples)
    return generator.integers(first, max(end - window_samples, first) + 1, size=windows)


class CropBatches:
    """A batch sampler: lists of (track, crop_columns), the lengths taking turns from batch to batch.

    The authors (main.py: multi_train of CQTNet) zip three loaders and step once for each length; here a batch
    has one length, the next batch the next one, counted on over the epochs.

    Args:
        order: of the tracks in this epoch.
        batch_size: the last, shorter batch is dropped, unless it is the only one.
        lengths: crop lengths in columns.
        epoch: counted from 0.
    """

    def __init__(self, order: Sequence[int], batch_size: int, lengths: Sequence[int], epoch: int):
        self.order, self.lengths, self.epoch = list(order), list(lengths), epoch
        self.batch_size = min(batch_size, len(self.order))

    def __len__(self) -> int:
        return len(self.order) // self.batch_size

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for batch in range(len(self)):
            columns = self.lengths[(self.epoch * len(self) + batch) % len(self.lengths)]
            first = batch * self.batch_size
            yield [(track, columns) for track in self.order[first : first + self.batch_size]]
