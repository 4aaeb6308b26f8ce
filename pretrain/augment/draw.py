"""The random part of the augmentation, apart from its application. B: clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from .config import AugmentConfig

UNIFORMS_PER_CLIP = 14  # one draw for each use below, applied or not


@dataclass
class Draws:
    """What is done to each clip: tensors (B,), on the CPU as drawn, where 0 or False is "not applied"."""

    invert: Tensor  # bool
    noise_ratio: Tensor  # float32, noise amplitude over the clip's
    noise_seed: Tensor  # int64
    gain_db: Tensor  # float32
    high_pass_hz: Tensor  # float32
    low_pass_hz: Tensor  # float32
    delay_samples: Tensor  # int64
    pitch_cents: Tensor  # float32

    def __len__(self) -> int:
        return len(self.invert)

    @classmethod
    def neutral(cls, batch: int) -> Draws:
        """Draws of `batch` clips that leave everything as it is."""
        kinds = {"invert": torch.bool, "noise_seed": torch.int64, "delay_samples": torch.int64}
        return cls(
            **{
                field.name: torch.zeros(batch, dtype=kinds.get(field.name, torch.float32))
                for field in fields(cls)
            }
        )


def draw(config: AugmentConfig, generators: Sequence[np.random.Generator], sample_rate: int) -> Draws:
    """Draw what is done to each clip, from that clip's own generator.

    Each generator gives UNIFORMS_PER_CLIP numbers whatever they decide, so neither the other clips nor a
    probability changes what is drawn from it next.

    Args:
        config: probabilities and ranges.
        generators: one for each clip.
        sample_rate: in Hz.

    Returns: draws of len(generators) clips, on the CPU.

    Raises:
        ValueError: a cutoff range reaches past half the sample rate.
    """
    for name in ("high_pass_max_hz", "low_pass_max_hz"):
        if getattr(config, name) > sample_rate / 2:
            raise ValueError(
                f"{name}: {getattr(config, name)} is above half the sample rate, {sample_rate / 2:g} Hz"
            )
    uniforms = np.array([generator.random(UNIFORMS_PER_CLIP) for generator in generators])
    column = iter(uniforms.reshape(len(generators), UNIFORMS_PER_CLIP).T)

    def happens(probability: float) -> np.ndarray:
        return next(column) < probability

    def only(applied: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.where(applied, values, 0)

    def between(low: float, high: float) -> np.ndarray:
        return low + (high - low) * next(column)

    def whole(count: int) -> np.ndarray:
        return np.floor(count * next(column)).astype(np.int64)

    invert = happens(config.polarity_probability)
    noise_ratio = only(
        happens(config.noise_probability), between(config.noise_min_ratio, config.noise_max_ratio)
    )
    noise_seed = whole(2**53)  # as many as a uniform double tells apart
    gain_db = only(happens(config.gain_probability), between(config.gain_min_db, config.gain_max_db))
    filtered, high = happens(config.filter_probability), happens(config.high_pass_share)
    high_pass_hz = only(filtered & high, between(config.high_pass_min_hz, config.high_pass_max_hz))
    low_pass_hz = only(filtered & ~high, between(config.low_pass_min_hz, config.low_pass_max_hz))
    steps = (config.delay_max_ms - config.delay_min_ms) // config.delay_step_ms + 1
    delayed = happens(config.delay_probability)
    delay_ms = config.delay_min_ms + config.delay_step_ms * whole(steps)
    delay_samples = only(delayed, np.rint(delay_ms * sample_rate / 1000).astype(np.int64))
    shifted = happens(config.pitch_probability)
    pitch_cents = only(shifted, whole(2 * config.pitch_max_cents + 1) - config.pitch_max_cents)

    return Draws(
        invert=torch.from_numpy(invert),
        noise_ratio=torch.from_numpy(noise_ratio).float(),
        noise_seed=torch.from_numpy(noise_seed),
        gain_db=torch.from_numpy(gain_db).float(),
        high_pass_hz=torch.from_numpy(high_pass_hz).float(),
        low_pass_hz=torch.from_numpy(low_pass_hz).float(),
        delay_samples=torch.from_numpy(delay_samples),
        pitch_cents=torch.from_numpy(pitch_cents).float(),
    )
