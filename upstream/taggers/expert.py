"""s3prl's upstream interface around the taggers: waveforms in, a frame per patch out."""

from __future__ import annotations

from functools import partial

import torch
from s3prl.upstream.interfaces import UpstreamBase
from s3prl.upstream.pemr.checkpoint import read_checkpoint
from s3prl.upstream.pemr.waveform import pad_waveforms
from torch import Tensor, nn

from .cnn_1d import CNN1D
from .fcn import FCN
from .musicnn import Musicnn
from .sample_cnn import SampleCNN
from .timbre_cnn import TimbreCNN

NETWORKS = {
    "fcn": FCN,
    "sample_cnn": partial(SampleCNN, dropout=0.5),  # CLMR's, where it is trained with labels
    "musicnn": Musicnn,
    "timbre_cnn": TimbreCNN,
    "cnn_1d": CNN1D,
}
RANDOM_SEED = 0  # frozen: the same weights every time


class UpstreamExpert(UpstreamBase):
    """A tagger that has been trained with labels; frozen or (-f) trained on."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    @classmethod
    def from_checkpoint(cls, name: str, ckpt: str) -> UpstreamExpert:
        """Raises ValueError (one line) for a file that run_downstream.py -u `name` -f did not write."""
        states = read_checkpoint(ckpt, ("Args", "Upstream"), f"run_downstream.py -u {name} -f")
        if states["Args"].upstream != name:
            raise ValueError(f"checkpoint {ckpt} is of -u {states['Args'].upstream}, not of -u {name}")
        expert = cls(NETWORKS[name]())
        try:
            expert.load_state_dict(states["Upstream"])
        except RuntimeError as error:
            raise ValueError(f"checkpoint {ckpt}: {' '.join(str(error).split())[:200]}") from error
        return expert.eval()

    def get_downsample_rates(self, key: str) -> int:
        """Samples in a frame, of every key: a patch of the network."""
        return self.model.patch_samples

    def forward(self, wavs: list[Tensor]) -> dict[str, Tensor | list[Tensor]]:
        """1-D waveforms at 16 kHz -> `hidden_states`: [(B, ceil(longest / patch), D)], `last_hidden_state`.

        In eval mode an item's frames do not depend on what it is batched with. Raises ValueError (one line)
        for an empty waveform and for NaN.
        """
        hidden = self.model(*pad_waveforms(wavs))
        return {"hidden_states": [hidden], "last_hidden_state": hidden}


class RandomUpstreamExpert(UpstreamExpert):
    """A tagger with random weights, to be trained from scratch with the labels (-f)."""

    def __init__(self, name: str):
        super().__init__(_random_network(name, RANDOM_SEED).eval())
        self._name = name

    def reset_parameters(self, seed: int) -> None:
        """Other random weights. Our launcher calls it with --seed under -f; frozen, the weights stay."""
        self.model.load_state_dict(_random_network(self._name, seed).state_dict())


def _random_network(name: str, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):  # the experiment's own draws go on as if nothing had happened
        torch.manual_seed(seed)
        return NETWORKS[name]()
