"""Musicnn: timbral and temporal filters, then residual convolutions (Pons et al., ISMIR 2018). P: patches."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .log_mel import LogMelNetwork
from .patches import BatchNorm1d
from .spectral_filters import SpectralFilters

FRAMES = 187  # 3 s
N_MELS = 96
# int(1.6 * 128) timbral and int(1.6 * 32) temporal filters of each shape, (filters, bins, frames):
SHAPES = (
    *((204, int(share * N_MELS), 7) for share in (0.4, 0.7)),
    *((51, 1, frames) for frames in (128, 64, 32)),
)
MIDDLE_CHANNELS = 64
DROPOUT = 0.5


class ResidualConvolution(nn.Module):
    """Convolution over 7 frames, ReLU, batch norm: (P, inputs, T) -> (P, 64, T)."""

    def __init__(self, inputs: int):
        super().__init__()
        self.conv = nn.Conv1d(inputs, MIDDLE_CHANNELS, 7, padding=3)
        self.norm = nn.BatchNorm1d(MIDDLE_CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        """(P, inputs, T) -> (P, 64, T), with the input added where it has the same channels."""
        y = self.norm(F.relu(self.conv(x)))
        return x + y if x.shape == y.shape else y


class Musicnn(LogMelNetwork):
    """Waveforms -> a frame of 200 values per 3 s; 777,109 parameters, 787,159 with 50 tags' output layer.

    The network published as `MTT_musicnn` (jordipons/musicnn, musicnn/models.py; model 11 of
    jordipons/musicnn-training, whose comment says 787k). The paper's Table 2 gives 228K for a Musicnn; no
    configuration of that code has so few (508,803 with residual instead of dense connections).
    """

    output_dim = 200
    patches_at_once = 4  # its first maps are wide: 204 filters at 59 pitches

    def __init__(self):
        super().__init__(FRAMES, N_MELS)
        self.filters = nn.ModuleList(SpectralFilters(*shape) for shape in SHAPES)
        channels = sum(filters for filters, _, _ in SHAPES)  # 561
        self.middle = nn.ModuleList(
            ResidualConvolution(inputs) for inputs in (channels, MIDDLE_CHANNELS, MIDDLE_CHANNELS)
        )
        pooled = 2 * (channels + len(self.middle) * MIDDLE_CHANNELS)  # 1,506
        self.back = nn.Sequential(
            BatchNorm1d(pooled),
            nn.Dropout(DROPOUT),
            nn.Linear(pooled, self.output_dim),
            nn.ReLU(),
            BatchNorm1d(self.output_dim),
            nn.Dropout(DROPOUT),
        )

    def embed_log_mel(self, log_mel: Tensor) -> Tensor:
        """(P, 1, 96, 187) -> (P, 200)."""
        maps = [torch.cat([shape(log_mel) for shape in self.filters], dim=1)]
        for layer in self.middle:
            maps.append(layer(maps[-1]))
        dense = torch.cat(maps, dim=1)
        return self.back(torch.cat([dense.amax(dim=2), dense.mean(dim=2)], dim=1))
