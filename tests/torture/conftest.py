"""What all parts share: everything imported before the first fork, and the inputs of the commands."""

import importlib

import numpy as np
import pytest
import torch

IMPORTED = [
    "torch._dynamo",
    "librosa",
    "sklearn.metrics",
    "matplotlib.pyplot",
    "omegaconf",
    "tensorboardX",
    "PIL.PngImagePlugin",
    "s3prl_pemr.prepare.__main__",
    "s3prl_pemr.launch.pretrain",
    "s3prl_pemr.launch.downstream",
    "s3prl_pemr.covers.__main__",
    "s3prl_pemr.comparison.__main__",
    "s3prl_pemr.embedding.__main__",
    "s3prl.pretrain.training.runner",
    "s3prl.pretrain.pemr.method",
    "s3prl.hub",
    "s3prl.downstream.music_tagging.expert",
    "s3prl.downstream.cover_song.expert",
    "s3prl.upstream.baseline.expert",
]


@pytest.fixture(scope="session")
def imported():
    """Nothing here may start a thread: it would not be in the forked processes."""
    torch.set_num_threads(1)
    for name in IMPORTED:
        importlib.import_module(name)
    from s3prl.downstream.cover_song.cqt.transform import cqt_columns

    cqt_columns(np.zeros(1, np.float32))  # compiles what librosa needs


@pytest.fixture(scope="session")
def inputs(imported, tmp_path_factory):
    """The folder that `make_inputs` filled."""
    from commands import make_inputs

    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder)
    return folder


@pytest.fixture(scope="session")
def report():
    """Takes lines of counts, for RELIABILITY.md; pytest's -s shows them."""
    yield lambda line: print(line, flush=True)
