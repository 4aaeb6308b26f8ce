"""The taggers as s3prl's upstreams: with random weights, or as a run has trained them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from s3prl.upstream.adapter.checkpoint import load_folder, load_weights, read_checkpoint
from s3prl.upstream.adapter.expert import RandomUpstreamExpert, UpstreamExpert

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

    Args:
        name: of NETWORKS.
        ckpt: that run's checkpoint, or a folder of save_pretrained.

    Raises:
        ValueError: one line: a file that such a run did not write.
    """
    if Path(ckpt).is_dir():
        return UpstreamExpert(load_folder(ckpt, name, type(NETWORKS[name]())))
    states = read_checkpoint(ckpt, ("Args", "Upstream"), f"run_downstream.py -u {name} -f")
    if states["Args"].upstream != name:
        raise ValueError(f"checkpoint {ckpt} is of -u {states['Args'].upstream}, not of -u {name}")
    expert = UpstreamExpert(NETWORKS[name]())
    load_weights(expert, states["Upstream"], f"checkpoint {ckpt}")
    expert.model.method = name
    return expert.eval()


def random_tagger(name: str) -> RandomUpstreamExpert:
    """A network with random weights, to be trained from scratch with the labels (-f)."""
    return RandomUpstreamExpert(NETWORKS[name])
