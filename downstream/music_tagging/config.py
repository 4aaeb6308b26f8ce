"""Settings of the task: `downstream_expert` of config.yaml, where each value is explained."""

from __future__ import annotations

from dataclasses import dataclass, field

from s3prl_pemr.features.time_pooling import POOLINGS
from s3prl_pemr.task.data_config import StoreConfig

from .labels.task import TASKS

HEADS = ("linear", "mlp")
CUTS = ("clip", "segments")


@dataclass
class DataConfig(StoreConfig):
    """Which audio, and how it is batched."""

    label_fraction: float = 1.0
    label_seed: int = 0
    train_batch_size: int = 48
    eval_batch_size: int = 8
    crop_samples: int = 43_200

    def __post_init__(self):
        super().__post_init__()
        if min(self.train_batch_size, self.eval_batch_size, self.crop_samples) < 1:
            raise ValueError("batch sizes and crop_samples must be at least 1")
        if not 0 < self.label_fraction <= 1:
            raise ValueError(f"label_fraction {self.label_fraction:g} is not above 0 and at most 1")
        if self.label_seed < 0:
            raise ValueError("label_seed must be at least 0")

    def store_split(self, split: str) -> str:
        """The store's name of what the toolkit calls train, dev or test. Raises ValueError for another."""
        names = self.split_names
        if split not in names:
            raise ValueError(f"unknown split {split!r}: music_tagging has {', '.join(names)}")
        return names[split]


@dataclass
class HeadConfig:
    """What is trained on the clip vectors."""

    kind: str = "linear"
    pooling: str = "mean"
    hidden_dim: int = 512
    dropout: float = 0.0
    standardise: bool = False  # what a config of a version without it meant; config.yaml says true

    def __post_init__(self):
        if self.kind not in HEADS:
            raise ValueError(f"head {self.kind!r} is not one of {', '.join(HEADS)}")
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling {self.pooling!r} is not one of {', '.join(POOLINGS)}")
        if self.hidden_dim < 1:
            raise ValueError("hidden_dim must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout {self.dropout:g} is not at least 0 and below 1")

    def in_force(self) -> dict[str, str | int | bool]:
        """What makes a difference to this kind of head; dropout has no weights, and may change."""
        width = {"hidden_dim": self.hidden_dim} if self.kind == "mlp" else {}
        pooling = {"pooling": self.pooling} if self.pooling != "mean" else {}
        return {"kind": self.kind, **pooling, **width, **({"standardise": True} if self.standardise else {})}


@dataclass
class BootstrapConfig:
    """The resamples that the bias in the intervals is from; of -m evaluate."""

    resamples: int = 1_000
    seed: int = 0

    def __post_init__(self):
        if self.resamples < 100 or self.seed < 0:
            raise ValueError("bootstrap: resamples must be at least 100, seed at least 0")


@dataclass
class TaggingConfig:
    """The whole task."""

    task: str = "tags"
    scoring: str = "clip"
    training: str = "clip"
    top_tags: int = 5
    datarc: DataConfig = field(default_factory=DataConfig)
    modelrc: HeadConfig = field(default_factory=HeadConfig)
    bootstrap: BootstrapConfig = field(default_factory=BootstrapConfig)

    def __post_init__(self):
        if self.task not in TASKS:
            raise ValueError(f"task {self.task!r} is not one of {', '.join(TASKS)}")
        for what, value in (("scoring", self.scoring), ("training", self.training)):
            if value not in CUTS:
                raise ValueError(f"{what} {value!r} is not one of {', '.join(CUTS)}")
        if self.top_tags < 1:
            raise ValueError("top_tags must be at least 1")
