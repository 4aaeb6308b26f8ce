"""TPP-Net: convolutions that halve the time, and maxima over a pyramid of stretches of it.

Source: Yu et al., "Temporal Pyramid Pooling Convolutional Neural Network for Cover Song Identification"
(IJCAI 2019); the CQT version of the published code. B: tracks, T: columns.
"""

from __future__ import annotations

import torch
from s3prl.downstream.cover_song.cqt.columns import pad_columns
from torch import Tensor, nn
from torch.nn import functional as F

# channels, kernel (frequency, time), stride over time
_TALL_LAYERS = ((32, (36, 40), 1), (64, (12, 3), 2), (128, (3, 3), 2))
_FLAT_LAYERS = ((256, (1, 3), 2), (512, (1, 3), 2), (512, (1, 3), 2))
PYRAMID = (4, 3, 2, 1)  # stretches of the track


def _layers(before: int, rows: tuple) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels, kernel, stride in rows:
        convolution = nn.Conv2d(before, channels, kernel, stride=(1, stride), bias=False)
        layers += [convolution, nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
        before = channels
    return nn.Sequential(*layers)


class TPPNet(nn.Module):
    """CQT magnitudes -> embedding; 3,010,796 parameters."""

    width = 300
    min_columns = 102  # 47 s; what is shorter ends in zeros

    def __init__(self):
        super().__init__()
        self.tall = _layers(1, _TALL_LAYERS)
        self.flat = _layers(_TALL_LAYERS[-1][0], _FLAT_LAYERS)
        self.fc0 = nn.Linear(_FLAT_LAYERS[-1][0] * sum(PYRAMID), self.width)

    def forward(self, cqt: Tensor) -> Tensor:
        """(B, 1, 84, T), any T -> (B, 300)."""
        maps = self.tall(pad_columns(cqt, self.min_columns))  # (B, 128, 36, about T / 4)
        maps = self.flat(maps.amax(dim=2, keepdim=True))  # (B, 512, 1, about T / 32)
        stretches = [F.adaptive_max_pool2d(maps, (1, count)).flatten(1) for count in PYRAMID]
        return self.fc0(torch.cat(stretches, dim=1))
