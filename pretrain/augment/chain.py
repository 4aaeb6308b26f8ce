"""All transforms in CLMR's order: polarity, noise, gain, filter, delay, pitch. B: clips, N: samples."""

from collections.abc import Callable

import torch
from torch import Tensor

from s3prl_pemr.loops.device import to_device

from .delay import add_delay
from .draw import Draws
from .filters import filter_clips
from .gain import apply_gain
from .noise import add_noise
from .pitch import pitch_shift
from .polarity import invert_polarity


@torch.no_grad()
def augment(wavs: Tensor, draws: Draws, sample_rate: int, delay_volume: float = 0.5) -> Tensor:
    """Apply each clip's draws to it.

    A transform sees only the clips it was drawn for; the others pass it bit for bit. Which those are is
    found in the draws, on the CPU: nothing is read back from a GPU.

    Args:
        wavs: (B, N), float32, on any device; not changed.
        draws: of B clips.
        sample_rate: in Hz.
        delay_volume: amplitude of the echo relative to the direct sound (AugmentConfig.delay_volume).

    Returns: (B, N).

    Raises:
        ValueError: wavs is not (B, N) float32, or the draws are of another number of clips.
    """
    if wavs.dim() != 2 or wavs.dtype != torch.float32:
        raise ValueError(
            f"wavs: {wavs.dtype} of shape {tuple(wavs.shape)}, expected float32 (clips, samples)"
        )
    if len(draws) != len(wavs):
        raise ValueError(f"draws: of {len(draws)} clips for {len(wavs)} wavs")
    filtered = (draws.high_pass_hz > 0) | (draws.low_pass_hz > 0)
    steps: list[tuple[Tensor, Callable, tuple[Tensor, ...], tuple]] = [
        (draws.invert, invert_polarity, (), ()),
        (draws.noise_ratio > 0, add_noise, (draws.noise_ratio, draws.noise_seed), ()),
        (draws.gain_db != 0, apply_gain, (draws.gain_db,), ()),
        (filtered, filter_clips, (draws.high_pass_hz, draws.low_pass_hz), (sample_rate,)),
        (draws.delay_samples > 0, add_delay, (draws.delay_samples,), (delay_volume,)),
        (draws.pitch_cents != 0, pitch_shift, (draws.pitch_cents,), (sample_rate,)),
    ]
    out = wavs.clone()
    with torch.autocast(wavs.device.type, enabled=False):
        for applies, transform, parameters, constants in steps:
            chosen = applies.nonzero().squeeze(1)  # on the CPU
            if len(chosen) == 0:
                continue
            rows = to_device(chosen, wavs.device)
            changed = transform(out[rows], *(parameter[chosen] for parameter in parameters), *constants)
            out.index_copy_(0, rows, changed)
    return out
