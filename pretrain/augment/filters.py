"""High-pass and low-pass, one cutoff a clip, zero delay. B: clips, N: samples, H: half a kernel."""

import torch
from torch import Tensor

from s3prl_pemr.loops.device import to_device

from .fft_length import fast_fft_length

CYCLES = 4  # of the cutoff frequency to each side of the middle; with a Hann window, as CLMR's filters
HALF_KERNEL_SAMPLES = 1024  # holds the four cycles of 63 Hz at 16 kHz; fixed, so no clip depends on its batch


def low_pass_kernels(cutoff_hz: Tensor, sample_rate: int) -> Tensor:
    """Sinc of each cutoff under a Hann window of CYCLES cycles to each side, scaled to sum 1.

    -6 dB at the cutoff; the transition runs from 0.8 (-0.1 dB) to 1.2 times the cutoff (-48 dB), and
    side lobes stay below -43 dB. A cutoff whose cycles outgrow HALF_KERNEL_SAMPLES gets a wider transition.

    Args:
        cutoff_hz: (B,), above 0 and at most sample_rate / 2.
        sample_rate: in Hz.

    Returns: (B, 2 H + 1).
    """
    cutoff = (cutoff_hz.float() / sample_rate)[:, None]  # cycles a sample
    samples = torch.arange(-HALF_KERNEL_SAMPLES, HALF_KERNEL_SAMPLES + 1, device=cutoff_hz.device)
    half_window = (CYCLES / cutoff).clamp(max=HALF_KERNEL_SAMPLES)
    window = torch.cos(torch.pi / 2 * (samples / half_window).clamp(-1.0, 1.0)).square()
    kernels = torch.sinc(2 * cutoff * samples) * window
    return kernels / kernels.sum(dim=1, keepdim=True)


def filter_clips(wavs: Tensor, high_pass_hz: Tensor, low_pass_hz: Tensor, sample_rate: int) -> Tensor:
    """High-pass or low-pass each clip; the high-pass is the clip less its low-passed copy.

    The ends are continued by their last sample, as CLMR does: a constant offset neither rings nor fades.

    Args:
        wavs: (B, N).
        high_pass_hz: (B,), on the CPU, 0 where the clip is low-passed.
        low_pass_hz: (B,), on the CPU, 0 where the clip is high-passed.
        sample_rate: in Hz.

    Returns: (B, N).

    Raises:
        ValueError: unless each clip has exactly one cutoff.
    """
    if bool(((high_pass_hz > 0) == (low_pass_hz > 0)).any()):
        raise ValueError("high_pass_hz, low_pass_hz: each clip needs one of the two above 0")
    samples = wavs.shape[1]
    kernels = low_pass_kernels(to_device(high_pass_hz + low_pass_hz, wavs.device), sample_rate)
    padded = torch.nn.functional.pad(
        wavs[:, None], (HALF_KERNEL_SAMPLES, HALF_KERNEL_SAMPLES), mode="replicate"
    )
    length = fast_fft_length(samples + 2 * HALF_KERNEL_SAMPLES)
    spectrum = torch.fft.rfft(padded[:, 0], n=length) * torch.fft.rfft(kernels, n=length)
    low = torch.fft.irfft(spectrum, n=length)[:, 2 * HALF_KERNEL_SAMPLES :][:, :samples]
    return torch.where(to_device(high_pass_hz > 0, wavs.device)[:, None], wavs - low, low)
