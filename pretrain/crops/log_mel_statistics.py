"""Mean and standard deviation of the training store's log-mel bins (our choice: README)."""

from __future__ import annotations

import numpy as np
import torch
from s3prl.pretrain.training.global_batch import global_sum
from s3prl.upstream.fcn4.frontend import LogMel
from torch import Tensor

from s3prl_pemr.audio import INT16_FULL_SCALE
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.store import AudioStore

from .randomness import statistics_generator

CLIPS_AT_ONCE = 64


def log_mel_statistics(
    frontend: LogMel,
    store: AudioStore,
    tracks: np.ndarray,
    clips: int,
    crop_samples: int,
    seed: int,
    counted: np.ndarray | None = None,
) -> tuple[Tensor, Tensor]:
    """Over `clips` random crops, unaugmented, the tracks taking turns; sums in float64.

    Args: counted: those of the tracks whose crops this process hears; the sums are over all processes then.

    Returns: mean and biased standard deviation in nats, each (F,) float32.
    """
    generator = statistics_generator(seed)
    chosen = np.resize(generator.permutation(tracks), clips)
    latest = np.maximum(store.length_samples[chosen] - crop_samples, 0)
    starts = generator.integers(latest + 1)
    if counted is not None:
        here = np.isin(chosen, counted)
        chosen, starts, clips = chosen[here], starts[here], int(here.sum())
    device = frontend.mean.device
    total = torch.zeros(2, frontend.config.n_mels, dtype=torch.float64, device=device)
    frames = 0
    for first in Progress(range(0, clips, CLIPS_AT_ONCE), desc="log-mel statistics", leave=False):
        part = slice(first, first + CLIPS_AT_ONCE)
        crops = torch.from_numpy(store.gather(chosen[part], starts[part], crop_samples)).to(device)
        log_mel = frontend.log_mel(crops.float() / INT16_FULL_SCALE).double().flatten(0, 1)  # (B * L, F)
        total += torch.stack([log_mel.sum(dim=0), log_mel.square().sum(dim=0)])
        frames += len(log_mel)
    if counted is not None:
        total = global_sum(total)
        frames = int(global_sum(torch.tensor(frames, device=device)))
    mean, square = total / frames
    return mean.float(), (square - mean.square()).clamp(min=0).sqrt().float()
