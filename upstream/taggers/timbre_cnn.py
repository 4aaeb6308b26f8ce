"""Timbre CNN: twelve shapes of tall filters (Pons et al., EUSIPCO 2017). P: patches."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .log_mel import LogMelNetwork
from .spectral_filters import SpectralFilters

FRAMES = 187  # 3 s
N_MELS = 96
# Share of the mel bins that a filter spans: number of filters per width in frames.
SHAPES = {
    0.8: {7: 3, 5: 3, 3: 6, 1: 10},
    0.6: {7: 5, 5: 5, 3: 10, 1: 15},
    0.2: {7: 5, 5: 5, 3: 10, 1: 15},
}


class TimbreCNN(LogMelNetwork):
    """Waveforms -> a frame of 100 values per 3 s; 180,806 parameters, 185,856 with 50 tags' output layer.

    As `timbre` in jordipons/musicnn-training, models_baselines.py (185k in models.py). The paper's Table 2
    gives 220K: the same network on longer patches (221,056 at 231 frames), which no source describes.
    """

    output_dim = 100

    def __init__(self):
        super().__init__(FRAMES, N_MELS)
        shapes = [
            (filters, int(share * N_MELS), frames)
            for share, widths in SHAPES.items()
            for frames, filters in widths.items()
        ]
        self.filters = nn.ModuleList(SpectralFilters(*shape) for shape in shapes)
        self.back = nn.Sequential(
            nn.Conv1d(sum(filters for filters, _, _ in shapes), 32, 8),
            nn.ReLU(),
            nn.MaxPool1d(4),
            nn.Flatten(),
            nn.Linear(32 * ((FRAMES - 7) // 4), self.output_dim),
            nn.ReLU(),
        )

    def embed_log_mel(self, log_mel: Tensor) -> Tensor:
        """(P, 1, 96, 187) -> (P, 100)."""
        return self.back(torch.cat([shape(log_mel) for shape in self.filters], dim=1))
