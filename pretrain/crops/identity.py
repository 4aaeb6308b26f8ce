"""Which crops a step sees: a run can only go on where all that decides it is the same."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from .dataset import CropPairs, DataConfig


def data_identity(dataset: CropPairs, config: DataConfig) -> dict[str, Any]:
    """What decides the crops of every step; a checkpoint keeps it."""
    return {
        "fingerprint": dataset.store.fingerprint,
        "tracks": zlib.crc32(dataset.tracks.astype("<i8").tobytes()),
        "train_batch_size": config.train_batch_size,
        "crop_samples": config.crop_samples,
        "seed": config.seed,
        **({"batches_by_part": True} if config.batches_by_part else {}),
    }


def refuse_other_data(then: Mapping[str, Any], now: Mapping[str, Any], store: str) -> None:
    """Raises ValueError (one line) where a checkpoint's run has seen other crops than this one would.

    Args:
        then, now: `data_identity` of the checkpoint and of this run.
        store: as the user named it.
    """
    if changed := [name for name in now if now[name] != then.get(name)]:
        raise ValueError(
            f"{', '.join(changed)} of {store} is not what this run began with, so it cannot go on where it "
            "stopped; start a new one with another -n"
        )
