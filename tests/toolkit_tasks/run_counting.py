"""run_downstream.py with the tasks of this folder and a trainable upstream, for tests in other processes."""

from pathlib import Path

import torch

from s3prl_pemr.launch.downstream import main  # before s3prl itself, which it mends

import s3prl.downstream  # isort: skip
import s3prl.hub  # isort: skip
from s3prl.upstream.interfaces import UpstreamBase  # isort: skip

RATE = 160


class TinyExpert(UpstreamBase):
    """One linear layer on blocks of 10 ms."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(RATE, 4)
        self.reset_parameters(0)

    def reset_parameters(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.layer.weight.copy_(torch.randn(4, RATE, generator=generator) / RATE**0.5)
            self.layer.bias.zero_()

    def get_downsample_rates(self, key: str) -> int:
        return RATE

    def forward(self, wavs):
        blocks = torch.nn.utils.rnn.pad_sequence(wavs, batch_first=True).unfold(1, RATE, RATE)
        return {"hidden_states": [self.layer(blocks)]}


def tiny_random(**_):
    return TinyExpert()


def add_to_toolkit() -> None:
    folder = str(Path(__file__).parent)
    if folder not in s3prl.downstream.__path__:
        s3prl.downstream.__path__.append(folder)
    s3prl.hub.tiny_random = tiny_random


if __name__ == "__main__":
    add_to_toolkit()
    main()
