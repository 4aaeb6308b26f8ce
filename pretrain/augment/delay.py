"""One echo. B: clips, N: samples."""

import torch
from torch import Tensor

from s3prl_pemr.loops.device import to_device


def add_delay(wavs: Tensor, delay_samples: Tensor, delay_volume: float) -> Tensor:
    """(x + delay_volume * x delayed) / 2: direct sound at 0.5, echo at delay_volume of it.

    The halving is CLMR's. Before the echo sets in there is silence; a delay of N or more only halves.

    Args:
        wavs: (B, N).
        delay_samples: int64, (B,), not negative.
        delay_volume: amplitude of the echo relative to the direct sound.

    Returns: (B, N).
    """
    source = torch.arange(wavs.shape[1], device=wavs.device) - to_device(delay_samples, wavs.device)[:, None]
    echo = wavs.gather(1, source.clamp(min=0)) * (source >= 0)
    return (wavs + delay_volume * echo) / 2
