"""s3prl's upstream interface around PEMR: waveforms in, representation frames out."""

from __future__ import annotations

import torch
import yaml
from s3prl.upstream.interfaces import UpstreamBase
from torch import Tensor, nn

from .checkpoint import load_pemr
from .config import PemrConfig, parse
from .model import PEMR
from .waveform import pad_waveforms

RANDOM_SEED = 0  # of random weights in a frozen upstream: the same ones every time


class UpstreamExpert(UpstreamBase):
    """Around PEMR, another method's model, or a tagger; frozen or (-f) trained."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    @classmethod
    def from_checkpoint(cls, ckpt: str) -> UpstreamExpert:
        """Raises ValueError (one line) where the file is not a checkpoint of `-u pemr`."""
        return cls(load_pemr(ckpt))

    def get_downsample_rates(self, key: str) -> int:
        """Samples in a frame, of every key: 16,384 (1.024 s) for FCN-4."""
        return self.model.samples_per_frame

    def forward(self, wavs: list[Tensor]) -> dict[str, Tensor | list[Tensor]]:
        """1-D waveforms at 16 kHz -> `hidden_states`: [(B, ceil(longest / rate), D)], `last_hidden_state`.

        In eval mode an item's frames do not depend on what it is batched with, and memory does not grow with
        its length. Raises ValueError (one line) for an empty waveform and for NaN.
        """
        hidden = self.model(*pad_waveforms(wavs))
        return {"hidden_states": [hidden], "last_hidden_state": hidden}


class RandomUpstreamExpert(UpstreamExpert):
    """`-u pemr_random`: random weights, the control of every pretrained row and, with -f, the FCN row."""

    def __init__(self, model_config: str | None = None):
        super().__init__(_random_model(model_config, RANDOM_SEED).eval())
        self._model_config = model_config

    def reset_parameters(self, seed: int) -> None:
        """Other random weights. Our launcher calls it with --seed under -f; frozen, the weights stay."""
        self.model.load_state_dict(_random_model(self._model_config, seed).state_dict())


def _random_model(model_config: str | None, seed: int) -> PEMR:
    settings = None
    if model_config is not None:
        with open(model_config) as file:  # noqa: PTH123 - s3prl hands over a str
            settings = (yaml.safe_load(file) or {}).get("model")
    with torch.random.fork_rng(devices=[]):  # the experiment's own draws go on as if nothing had happened
        torch.manual_seed(seed)
        return PEMR(parse(PemrConfig, settings, str(model_config)))
