"""CQT-Net: convolutions without pooling over frequency, then a maximum over all positions.

Source: Yu et al., "Learning a Representation for Cover Song Identification Using Convolutional Neural
Network" (ICASSP 2020), with the layers and weight names of the published models. B: tracks, T: columns.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from s3prl.downstream.cover_song.cqt.columns import BINS, pad_columns
from torch import Tensor, nn

# channels, kernel (frequency, time), dilation over time, halve the time afterwards
_LAYERS = (
    (32, (12, 3), 1, False),
    (64, (13, 3), 2, True),
    (64, (13, 3), 1, False),
    (64, (3, 3), 2, True),
    (128, (3, 3), 1, False),
    (128, (3, 3), 2, True),
    (256, (3, 3), 1, False),
    (256, (3, 3), 2, True),
    (512, (3, 3), 1, False),
    (512, (3, 3), 2, False),
)
PUBLISHED_CLASSIFIER = "fc1."  # a head for 10,000 works, which we do not have


class CQTNet(nn.Module):
    """CQT magnitudes -> embedding; 5,080,428 parameters.

    Keys translate the spectrum: kernels that are an octave tall and the maximum over frequency tolerate it.
    """

    width = 300
    min_columns = 172  # 80 s; what is shorter ends in zeros

    def __init__(self):
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        before = 1
        for number, (channels, kernel, dilation, halve) in enumerate(_LAYERS):
            padding = (6, 0) if number == 0 else (0, 0)
            layers[f"conv{number}"] = nn.Conv2d(
                before, channels, kernel, dilation=(1, dilation), padding=padding, bias=False
            )
            layers[f"norm{number}"] = nn.BatchNorm2d(channels)
            layers[f"relu{number}"] = nn.ReLU(inplace=True)
            if halve:
                layers[f"pool{number}"] = nn.MaxPool2d((1, 2), padding=(0, 1))
            before = channels
        self.features = nn.Sequential(layers)
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.fc0 = nn.Linear(before, self.width)

    def forward(self, cqt: Tensor) -> Tensor:
        """(B, 1, 84, T), any T -> (B, 300)."""
        maps = self.features(pad_columns(cqt, self.min_columns))  # (B, 512, 47, shorter)
        return self.fc0(self.pool(maps).flatten(1))

    def load_published(self, state: dict[str, Any]) -> None:
        """Take the published weights, whose classifier over 10,000 works is left out.

        Args:
            state: their state_dict; keys may begin with `module.`.

        Raises: ValueError (one line) for weights of another network.
        """
        named = {name.removeprefix("module."): value for name, value in state.items()}
        body = {name: value for name, value in named.items() if not name.startswith(PUBLISHED_CLASSIFIER)}
        own = self.state_dict()
        odd = sorted(set(own) ^ set(body)) or [
            name for name in own if getattr(body[name], "shape", None) != own[name].shape
        ]
        if odd:
            raise ValueError(
                f"not the weights of a CQT-Net on {BINS} bins: {len(odd)} names or shapes differ, the first "
                f"is {odd[0]}"
            )
        self.load_state_dict(body)
