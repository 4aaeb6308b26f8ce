"""Settings of the task: `downstream_expert` of config.yaml, where each value is explained."""

from __future__ import annotations

from dataclasses import dataclass, field

from s3prl_pemr.task.data_config import StoreConfig

from .cqt.columns import EVAL_COLUMNS
from .model import HEADS
from .training import PRECISIONS


@dataclass
class DataConfig(StoreConfig):
    """Which audio, and how it is batched."""

    test_stores: dict[str, str] = field(default_factory=dict)
    train_batch_size: int = 32
    eval_batch_size: int = 8
    crop_columns: list[int] = field(default_factory=lambda: [200, 300, 400])
    windows: int = 4
    window_samples: int = 43_200
    cqt_jobs: int = 0
    train_works: int = 0
    works_seed: int = 0

    def __post_init__(self):
        super().__post_init__()
        sizes = (self.train_batch_size, self.eval_batch_size, self.windows, self.window_samples)
        if min(*sizes, *self.crop_columns, len(self.crop_columns)) < 1:
            raise ValueError("batch sizes, crop_columns, windows and window_samples must be at least 1")
        if self.train_batch_size < 2:
            raise ValueError("train_batch_size must be at least 2: batch norm needs more than one track")
        for name in ("cqt_jobs", "train_works", "works_seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0")
        taken = {"train", "dev", "test"} & set(self.test_stores)
        if taken:
            raise ValueError(
                f"test_stores: {taken.pop()!r} is the name of a split of `store`; choose another"
            )

    @property
    def eval_columns(self) -> int:
        """To how many columns shorter whole tracks are filled up with zeros: as crops are, at most to 200."""
        return min(EVAL_COLUMNS, *self.crop_columns)

    def store_and_split(self, split: str) -> tuple[str, str]:
        """The store's folder and its split for what -t names. Raises ValueError for another name."""
        own = self.split_names
        if split in own:
            return self.store, own[split]
        if split in self.test_stores:
            return self.test_stores[split], self.test_split
        raise ValueError(
            f"unknown split {split!r}: cover_song has {', '.join([*own, *self.test_stores])}; other test "
            f"sets are named with -o config.downstream_expert.datarc.test_stores.{split}=STORE"
        )


@dataclass
class AugmentConfig:
    """What a crop may undergo; of the CQT alone, the upstream hears the music as it is."""

    speed: list[float] = field(default_factory=lambda: [0.7, 1.3])
    frequency_masks: int = 0
    mask_bins: int = 24
    roll_bins: int = 0

    def __post_init__(self):
        if len(self.speed) != 2 or not 0 < self.speed[0] <= self.speed[1]:
            raise ValueError(f"speed is [lowest, highest] with 0 < lowest <= highest, got {list(self.speed)}")
        if min(self.frequency_masks, self.roll_bins) < 0 or self.mask_bins < 1:
            raise ValueError("frequency_masks and roll_bins must be at least 0, mask_bins at least 1")


@dataclass
class HeadConfig:
    """What is trained."""

    kind: str = "cqtnet"
    cqtnet_weights: str = ""
    recalibrate_batch_norm: int = 0
    precision: str = "fp32"
    rerank: int = 0

    def __post_init__(self):
        if self.recalibrate_batch_norm < 0:
            raise ValueError("recalibrate_batch_norm is a number of batches, at least 0")
        if self.kind not in HEADS:
            raise ValueError(f"head {self.kind!r} is not one of {', '.join(HEADS)}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision {self.precision!r} is not one of {', '.join(PRECISIONS)}")
        if self.rerank < 0 or (self.rerank and HEADS[self.kind][1] is None):
            raise ValueError("rerank is a number of candidates, at least 0, for a head that hears the CQT")
        if self.cqtnet_weights and HEADS[self.kind][1] != "cqtnet":
            raise ValueError(f"cqtnet_weights: the head {self.kind} has no CQT-Net")


@dataclass
class CoverConfig:
    """The whole task."""

    datarc: DataConfig = field(default_factory=DataConfig)
    augmentrc: AugmentConfig = field(default_factory=AugmentConfig)
    modelrc: HeadConfig = field(default_factory=HeadConfig)
