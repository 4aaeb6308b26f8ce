"""White noise at a level relative to the clip's. B: clips, N: samples."""

import torch
from torch import Tensor

from s3prl_pemr.loops.device import to_device


def add_noise(wavs: Tensor, noise_ratio: Tensor, noise_seed: Tensor) -> Tensor:
    """Add white Gaussian noise whose standard deviation is `noise_ratio` times the clip's own.

    The ratio is one of amplitudes: 1e-4 is a signal-to-noise ratio of 80 dB, 1e-2 of 40 dB (CLMR draws the
    same quantity and calls it "snr"). The noise is made on the CPU, clip by clip, from a seed each: it is
    the same on every device; one clip in a hundred gets any.

    Args:
        wavs: (B, N).
        noise_ratio: (B,), on the CPU.
        noise_seed: int64, (B,), on the CPU.

    Returns: (B, N).
    """
    if len(wavs) == 0:
        return wavs
    noise = torch.stack(
        [
            torch.randn(wavs.shape[1], generator=torch.Generator().manual_seed(seed))
            for seed in noise_seed.tolist()
        ]
    )
    level = wavs.std(dim=1, correction=0) * to_device(noise_ratio, wavs.device)
    return wavs + level[:, None] * to_device(noise, wavs.device)
