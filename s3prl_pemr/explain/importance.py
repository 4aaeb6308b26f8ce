"""What PEMR finds important in a whole track, crop by crop. L: frames, F: mel bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from s3prl.upstream.pemr.masking import positive_negative_masks
from s3prl.upstream.pemr.model import PEMR
from torch import Tensor

CROP_SECONDS = 2.7  # what the transformer was trained on


@dataclass(frozen=True)
class Explained:
    """A track.

    Attributes:
        log_mel: normalised frames, (L, F).
        importance: s of Eq. 4, 1 on average within each crop, (L,).
        positive: positive mask of Eq. 5, (L,): 0 where a crop's least important frames are.
        hop_samples: between frames.
        sample_rate: Hz.
    """

    log_mel: np.ndarray
    importance: np.ndarray
    positive: np.ndarray
    hop_samples: int
    sample_rate: int

    @property
    def seconds(self) -> float:
        """That it lasts."""
        return len(self.importance) * self.hop_samples / self.sample_rate

    def energy_quantile_of_masked(self) -> float:
        """Mean quantile of the masked frames' energy among all frames: 0.5 would be chance."""
        energy = self.log_mel.mean(axis=1)
        return float((energy[:, None] < energy[self.positive == 0]).mean())


@torch.no_grad()
def explain(model: PEMR, wav: np.ndarray) -> Explained:
    """Importance and masks of each frame of a track.

    Eq. 4 wants two crops of a track: the one before (for the first, the one behind) stands for the other.
    Softmax compares the frames of one crop, so importance is on one scale after each crop's mean is made 1.
    The last crop ends where the track does; of its overlap with the one before, that one's frames stay.

    Args:
        wav: float32 in [-1, 1] at 16 kHz, (samples,).

    Raises:
        ValueError: one line: shorter than two crops.
    """
    hop = model.config.frontend.hop_samples
    crop = int(CROP_SECONDS * model.sample_rate) // hop * hop
    length = len(wav) // hop * hop
    if length < 2 * crop:
        seconds = len(wav) / model.sample_rate
        raise ValueError(f"{seconds:.1f} s are too short: {2 * CROP_SECONDS:g} s are needed")
    starts = list(range(0, length - crop + 1, crop))
    overlap = 0
    if starts[-1] + crop < length:
        overlap = (starts[-1] + 2 * crop - length) // hop
        starts.append(length - crop)
    crops = torch.from_numpy(np.stack([wav[start : start + crop] for start in starts]))
    frames = model.frontend(crops)
    importance = model.importance(frames[[1, *range(len(frames) - 1)]], frames)
    positive, _ = positive_negative_masks(importance, model.config.mask_ratio)
    scaled = importance * frames.shape[1] / model.config.transformer.heads

    def joined(values: Tensor) -> np.ndarray:
        return np.concatenate([*values[:-1].numpy(), values[-1, overlap:].numpy()])

    return Explained(joined(frames), joined(scaled), joined(positive), hop, model.sample_rate)
