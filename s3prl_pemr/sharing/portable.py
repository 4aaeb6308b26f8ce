"""Front end and encoder in operations that any runtime has, for one waveform length as for another.

What a model's own forward does for speed or memory (windows of long tracks, fused blocks, torch.stft, lengths
of a batch) is left out: here all items have one length. B: clips, N: samples, P: patches, F: bins, T: frames.
"""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from s3prl.upstream.fcn4.encoder import FCN4, Block
from s3prl.upstream.fcn4.frontend import LogMel
from s3prl.upstream.taggers.log_mel import HOP_SAMPLES, LOG_GAIN, LogMelNetwork
from s3prl.upstream.taggers.patches import PatchNetwork
from torch import Tensor, nn


def dft_basis(window: Tensor) -> Tensor:
    """Real and imaginary part of the discrete Fourier transform of a windowed frame, as rows.

    Args:
        window: (n,), n even.

    Returns: float64, (2 (n / 2 + 1), n): w_m cos(2 pi k m / n), then -w_m sin(2 pi k m / n), k = 0 ... n / 2:
        what numpy.fft.rfft computes of a windowed frame.
    """
    count = len(window)
    sample = torch.arange(count, dtype=torch.float64)
    angle = 2 * math.pi / count * torch.arange(count // 2 + 1, dtype=torch.float64)[:, None] * sample
    return torch.cat([angle.cos(), -angle.sin()]) * window.double()


class MelPower(nn.Module):
    """Power of mel bins, (B, N) -> (B, F, ceil(N / hop)): the STFT as a convolution with a DFT basis.

    Frame t is centred on sample t * hop; outside the waveform the signal is zero, as in torch.stft's
    pad_mode="constant". ONNX's own STFT cannot be had from torch for a length that varies.
    """

    def __init__(self, window: Tensor, hop_samples: int, filters: Tensor):
        """Args: filters: (n / 2 + 1, F)."""
        super().__init__()
        self.hop_samples = hop_samples
        # ceil(N / hop) frames without a cut: the last one is centred on the last sample or before
        self.padding = (len(window) // 2, len(window) // 2 - 1)
        self.register_buffer("basis", dft_basis(window).float()[:, None])
        self.register_buffer("filters", filters.T[:, :, None].contiguous())

    def forward(self, wavs: Tensor) -> Tensor:
        """(B, N) -> (B, F, T)."""
        parts = F.conv1d(F.pad(wavs[:, None], self.padding), self.basis, stride=self.hop_samples)
        real, imaginary = parts.chunk(2, dim=1)
        return F.conv1d(real.square() + imaginary.square(), self.filters)


class PortableBlock(nn.Module):
    """A block of FCN-4 in eval mode: convolution with the batch norm in it, ReLU, maximum in ceil mode."""

    def __init__(self, block: Block):
        super().__init__()
        weight, bias = (part.detach().clone().contiguous() for part in block._folded())
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)
        self.pool = block.pool

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, F, T) -> (B, C', ceil(F / pool), ceil(T / pool)).

        What is padded is zero, and no maximum of what comes out of a ReLU is below.
        """
        x = F.relu(F.conv2d(x, self.weight, self.bias, padding=1))
        return F.max_pool2d(F.pad(x, (0, self.pool[1] - 1, 0, self.pool[0] - 1)), self.pool)


class PortableFCN(nn.Module):
    """PEMR's front end and encoder: (B, N) -> (B, ceil(N / 16384), 512)."""

    def __init__(self, frontend: LogMel, encoder: FCN4):
        super().__init__()
        config = frontend.config
        self.log_offset = config.log_offset
        self.mel = MelPower(frontend.window, config.hop_samples, frontend.filters)
        self.register_buffer("mean", frontend.mean[:, None].clone())
        self.register_buffer("std", frontend.std[:, None].clone())
        self.blocks = nn.ModuleList(map(PortableBlock, encoder.blocks))

    def log_mel(self, wavs: Tensor) -> Tensor:
        """Normalised log-mel, (B, N) -> (B, F, T)."""
        return (torch.log(self.mel(wavs) + self.log_offset) - self.mean) / self.std

    def forward(self, wavs: Tensor) -> Tensor:
        """(B, N) -> (B, T', D)."""
        x = self.log_mel(wavs)[:, None]
        for block in self.blocks:
            x = block(x)
        return x.permute(0, 3, 1, 2).flatten(2)  # in this order exported code holds for one frame too


class PortablePatches(nn.Module):
    """A network over patches of one duration: (B, N) -> (B, ceil(N / patch_samples), D)."""

    def __init__(self, network: PatchNetwork):
        super().__init__()
        self.network = copy.deepcopy(network).eval()
        self.mel = None
        if isinstance(network, LogMelNetwork):
            mel = network.mel
            self.mel = MelPower(mel.spectrogram.window, HOP_SAMPLES, mel.mel_scale.fb)
            del self.network.mel

    def embed(self, patches: Tensor) -> Tensor:
        """(P, patch_samples) -> (P, D)."""
        if self.mel is None:
            return self.network.embed(patches)
        log_mel = torch.log10(1 + LOG_GAIN * self.mel(patches))[:, None]
        return self.network.embed_log_mel(self.network.input_norm(log_mel))

    def forward(self, wavs: Tensor) -> Tensor:
        """(B, N) -> (B, T', D)."""
        size = self.network.patch_samples
        total = (wavs.shape[1] + size - 1) // size
        padded = F.pad(wavs, (0, total * size - wavs.shape[1]))
        frames = self.embed(padded.reshape(wavs.shape[0] * total, size))
        return frames.reshape(wavs.shape[0], total, self.network.output_dim)


def portable(model: nn.Module) -> nn.Module:
    """The same function of waveforms (B, N) at the model's rate, in eval mode, for export.

    Raises:
        ValueError: one line: a model that has neither FCN-4 on our log-mel nor a network over patches.
    """
    encoder = getattr(model, "encoder", model)
    if isinstance(getattr(model, "frontend", None), LogMel) and isinstance(encoder, FCN4):
        return PortableFCN(model.frontend, encoder).eval()
    if isinstance(encoder, PatchNetwork):
        return PortablePatches(encoder).eval()
    raise ValueError(
        f"a {type(model).__name__} cannot be exported: only models of `pretrain` and taggers can"
    )
