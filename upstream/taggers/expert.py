"""The taggers as s3prl's upstreams: with random weights, or as a run has trained them."""

from __future__ import annotations

from functools import partial

import torch
from s3prl.upstream.pemr.checkpoint import load_weights, read_checkpoint
from s3prl.upstream.pemr.expert import RANDOM_SEED, UpstreamExpert
from torch import nn

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


def trained_tagger(name: str, ckpt: str) -> UpstreamExpert:
    """A network as run_downstream.py -u `name` -f has trained it; frozen or (-f) trained on.

    Raises:
        ValueError: one line: a file that such a run did not write.
    """
    states = read_checkpoint(ckpt, ("Args", "Upstream"), f"run_downstream.py -u {name} -f")
    if states["Args"].upstream != name:
        raise ValueError(f"checkpoint {ckpt} is of -u {states['Args'].upstream}, not of -u {name}")
    expert = UpstreamExpert(NETWORKS[name]())
    load_weights(expert, states["Upstream"], f"checkpoint {ckpt}")
    return expert.eval()


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
