"""Filters of musically chosen shapes over a log-mel patch. P: patches, F: mel bins, T: frames, C: filters."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class SpectralFilters(nn.Module):
    """Filters of one shape at every time and pitch: (P, 1, F, T) -> (P, C, T), each at its best pitch.

    A tall filter reads a timbre, a long one a rhythm (Pons et al., EUSIPCO 2017; ISMIR 2018). Convolution,
    ReLU, batch norm, maximum over frequency; padded in time alone, as TensorFlow's `same` does: of an even
    length the odd zero is behind.
    """

    def __init__(self, filters: int, bins: int, frames: int):
        super().__init__()
        self.padding = ((frames - 1) // 2, frames // 2)
        self.conv = nn.Conv2d(1, filters, (bins, frames))
        self.norm = nn.BatchNorm2d(filters)

    def forward(self, log_mel: Tensor) -> Tensor:
        """(P, 1, F, T) -> (P, C, T)."""
        return self.norm(F.relu(self.conv(F.pad(log_mel, self.padding)))).amax(dim=2)
