"""A picture of what a pretrained PEMR finds important in a clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib.image import imsave
from s3prl.pretrain.pemr.mask_picture import mask_picture
from s3prl.upstream.pemr.expert import load_pemr

from s3prl_pemr.audio import INT16_FULL_SCALE
from s3prl_pemr.safety.whole_file import whole_file
from s3prl_pemr.store import AudioStore


def save_mask_example(checkpoint: Path, store: Path, split: str, crop_samples: int, picture: Path) -> str:
    """Log-mel, frame importance and both masked views of the first clip of a split, as a PNG.

    The two crops are the clip's first `crop_samples` samples and those that follow; the second is shown.

    Returns: the clip's name.

    Raises:
        ValueError, StoreError: one line: no such checkpoint, store or split, or the clip is too short.
    """
    audio = AudioStore(store)
    track = int(audio.select(split)[0])
    if audio.length_samples[track] < 2 * crop_samples:
        raise ValueError(f"{audio.tracks[track]} is shorter than two crops of {crop_samples} samples")
    crops = audio.gather([track, track], [0, crop_samples], crop_samples)
    views = torch.from_numpy(crops.astype(np.float32) / INT16_FULL_SCALE)
    with whole_file(picture) as file:
        imsave(file, mask_picture(load_pemr(checkpoint), views), format="png")
    return audio.tracks[track]
