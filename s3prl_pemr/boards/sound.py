"""What a board's item sounds like to our models. C: channels, N: samples."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import xxhash

from s3prl_pemr.audio import SAMPLE_RATE


def samples_of(audio: Any) -> np.ndarray:
    """The mean of its channels at 16 kHz, which all upstreams of s3prl's hub hear: float32, (N,).

    Args:
        audio: has `array`, (N,) or (C, N), and `sampling_rate` in Hz, as a dictionary or as the decoder that
            datasets makes of a file: mteb/types/_encoder_io.py: AudioInputItem.

    Raises:
        ValueError: one line: no sample, or one that is no finite number.
    """
    array = np.asarray(audio["array"], np.float32)
    wav = array.mean(axis=0) if array.ndim > 1 else array
    if wav.size == 0 or not np.isfinite(wav).all():
        raise ValueError("an item of the task has no samples, or some that are NaN or infinite")
    return soxr.resample(wav, audio["sampling_rate"], SAMPLE_RATE)


def digests(dataset: Any) -> dict[str, str]:
    """What tells one recording from another, by the item's id; files are not decoded for it.

    Args:
        dataset: of datasets, with `id` and `audio`: files, or dictionaries with an `array`.
    """
    kind = dataset.features["audio"]
    if getattr(kind, "decode", False):
        dataset = dataset.cast_column("audio", dataclasses.replace(kind, decode=False))
    return {row["id"]: _digest(row["audio"]) for row in dataset}


def _digest(audio: dict[str, Any]) -> str:
    if "array" in audio:
        content = np.asarray(audio["array"], np.float32).tobytes()
    else:
        content = audio["bytes"] or Path(audio["path"]).read_bytes()
    return xxhash.xxh3_128_hexdigest(content)
