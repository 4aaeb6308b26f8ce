"""Batch norm's statistics of a network that no data has trained, measured on made-up music.

Left at mean 0 and variance 1, as they are made, they let the layers of an untrained encoder shrink to a few
hundredths, and a control that a head can hardly read says little about the method beside it.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor, nn

CLIPS = 8
SAMPLES = 32_768  # 2 s, whole frames of FCN-4; networks that hear more at once get that much
SAMPLE_RATE = 16_000  # Hz
SEED = 0
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


@lru_cache(maxsize=2)
def control_clips(samples: int) -> Tensor:
    """Chords of decaying partials over a beat of noise, soft and loud, dull and bright; the same every time.

    Returns: at SAMPLE_RATE, in [-1, 1], (CLIPS, samples).
    """
    generator = torch.Generator().manual_seed(SEED)
    draw = torch.rand(CLIPS, 6, generator=generator, dtype=torch.float64)
    notes = torch.randint(36, 84, (CLIPS, 4), generator=generator)
    noise = torch.randn(CLIPS, samples, generator=generator, dtype=torch.float64)
    time = torch.arange(samples, dtype=torch.float64) / SAMPLE_RATE
    clips = torch.zeros(CLIPS, samples, dtype=torch.float64)
    for clip, (level, tempo, decay, brightness, drums, phase) in enumerate(draw.tolist()):
        beat = (time + phase) % (0.25 + 0.5 * tempo)  # seconds since the last one
        for note in notes[clip].tolist():
            hertz = 440 * 2 ** ((note - 69) / 12)
            for partial in range(1, 9):
                if partial * hertz < SAMPLE_RATE / 2:
                    loudness = partial ** -(0.5 + 1.5 * brightness)
                    clips[clip] += loudness * torch.sin(2 * math.pi * partial * hertz * time)
        clips[clip] *= torch.exp(-(1 + 7 * decay) * beat)
        clips[clip] += 2 * drums * noise[clip] * torch.exp(-40 * beat) + 0.002 * noise[clip]
        clips[clip] *= 10 ** (-1.5 * level) / clips[clip].abs().max()  # 0 to -30 dB
    return clips.float()


@torch.no_grad()
def measure_statistics(model: nn.Module) -> None:
    """Sets the running statistics of every batch norm to those of `control_clips`; leaves eval mode.

    Args:
        model: of our networks, `forward(wavs, lengths)`; where it has no batch norm nothing happens.
    """
    norms = [module for module in model.modules() if isinstance(module, NORMS) and module.track_running_stats]
    if not norms:
        model.eval()
        return
    samples = max(SAMPLES, int(model.samples_per_frame))
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over batches: of one batch, its own
    model.train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    model(control_clips(samples), torch.full((CLIPS,), samples))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()
