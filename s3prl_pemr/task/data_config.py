"""Which store a task reads, and how it calls the splits: the part of `datarc` that both tasks have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class StoreConfig:
    """The store, and its names for what the toolkit calls train, dev and test."""

    store: str = ""
    train_split: str = "train"
    dev_split: str = "valid"
    test_split: str = "test"
    num_workers: int = 0

    def __post_init__(self):
        if self.num_workers < 0:
            raise ValueError("num_workers must be at least 0")

    @property
    def split_names(self) -> dict[str, str]:
        """The store's name of train, dev and test."""
        return {"train": self.train_split, "dev": self.dev_split, "test": self.test_split}


def named_store(folder: str) -> str:
    """The folder. Raises ValueError (one line) where the config names none."""
    if not folder:
        raise ValueError(
            "datarc.store is empty: name the folder that `s3prl-pemr prepare` wrote, for "
            "instance -o config.downstream_expert.datarc.store=STORE"
        )
    return folder
