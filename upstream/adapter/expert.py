"""s3prl's upstream interface around any model of ours: waveforms in, representation frames out."""

from __future__ import annotations

from collections.abc import Callable

import torch
from s3prl.upstream.interfaces import UpstreamBase
from torch import Tensor, nn

from .control import measure_statistics
from .waveform import pad_waveforms

RANDOM_SEED = 0  # of random weights in a frozen upstream: the same ones every time


class UpstreamExpert(UpstreamBase):
    """Around PEMR, another method's model, or a tagger; frozen or (-f) trained."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def get_downsample_rates(self, key: str) -> int:
        """Samples in a frame, of every key: 16,384 (1.024 s) for FCN-4."""
        return int(self.model.samples_per_frame)

    def forward(self, wavs: list[Tensor]) -> dict[str, Tensor | list[Tensor]]:
        """1-D waveforms at 16 kHz -> `hidden_states`: [(B, ceil(longest / rate), D)], `last_hidden_state`.

        In eval mode an item's frames do not depend on what it is batched with, and memory does not grow with
        its length. Raises ValueError (one line) for an empty waveform and for NaN.
        """
        hidden = self.model(*pad_waveforms(wavs))
        return {"hidden_states": [hidden], "last_hidden_state": hidden}


class RandomUpstreamExpert(UpstreamExpert):
    """A model with random weights: the control of a pretrained row, or (-f) trained from scratch.

    Its batch norms have measured statistics (control.py).

    Args:
        build: makes the model, its weights drawn from torch's global generator.
    """

    def __init__(self, build: Callable[[], nn.Module]):
        super().__init__(_random(build, RANDOM_SEED))
        self._build = build

    def reset_parameters(self, seed: int) -> None:
        """Other random weights. Our launcher calls it with --seed under -f; frozen, the weights stay."""
        self.model.load_state_dict(_random(self._build, seed).state_dict())


def _random(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):  # the experiment's own draws go on as if nothing had happened
        torch.manual_seed(seed)
        model = build()
    measure_statistics(model)
    return model
