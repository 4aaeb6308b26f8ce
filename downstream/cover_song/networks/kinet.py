"""Ki-Net: the same kernel on all twelve transpositions of a chromagram, and their maximum.

Source: Xu, Chen and Yang, "Key-Invariant Convolutional Neural Network toward Efficient Cover Song
Identification" (ICME 2018), re-implemented: no code of the authors is published, so the widths are those of
the single stream of MulKINet, from the same group, and the chroma is the CQT folded into an octave, not their
HPCP.
B: tracks, T: columns.
"""

from __future__ import annotations

import torch
from s3prl.downstream.cover_song.cqt.columns import pad_columns
from torch import Tensor, nn

PITCH_CLASSES = 12
SLOPE = 0.3  # of LeakyReLU: Keras' default, which MulKINet's layers have


def chroma(cqt: Tensor) -> Tensor:
    """Octaves of CQT magnitudes added up, each column divided by its maximum.

    Args:
        cqt: (B, 1, octaves x 12, T), not negative.

    Returns: (B, 1, 12, T); a silent column stays zero.
    """
    # In float64 the order of the octaves, which another key changes, leaves no trace.
    folded = cqt.unflatten(2, (-1, PITCH_CLASSES)).sum(dim=2, dtype=torch.float64).to(cqt.dtype)
    return folded / folded.amax(dim=2, keepdim=True).clamp_min(1e-6)


class KiNet(nn.Module):
    """CQT magnitudes -> embedding that a circular shift of the bins does not change; 1,492,736 parameters."""

    width = 128
    min_columns = 135  # 63 s; what is shorter ends in zeros
    classifier_dropout, classifier_bias = 0.5, False

    def __init__(self, channels: int = 256, slope: float = SLOPE):
        super().__init__()
        self.keys = nn.Sequential(
            nn.Conv2d(1, channels, (PITCH_CLASSES, 48), bias=False),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(slope),
            nn.MaxPool2d((PITCH_CLASSES, 1)),
        )
        self.time = nn.Sequential(*(layer for _ in range(2) for layer in _temporal(channels, slope)))
        self.embedding = nn.Sequential(
            nn.Linear(channels, self.width, bias=False), nn.BatchNorm1d(self.width), nn.LeakyReLU(slope)
        )

    def forward(self, cqt: Tensor) -> Tensor:
        """(B, 1, 84, T), any T -> (B, 128)."""
        octave = chroma(pad_columns(cqt, self.min_columns))  # (B, 1, 12, T)
        transpositions = torch.cat([octave, octave[:, :, : PITCH_CLASSES - 1]], dim=2)  # (B, 1, 23, T)
        maps = self.time(self.keys(transpositions))  # (B, C, 1, about T / 4)
        return self.embedding(maps.mean(dim=(2, 3)))


def _temporal(channels: int, slope: float) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, channels, (1, 10), dilation=(1, 3), bias=False)
    return [convolution, nn.BatchNorm2d(channels), nn.LeakyReLU(slope), nn.MaxPool2d((1, 3), stride=(1, 2))]
