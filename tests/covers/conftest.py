"""A collection, a trained checkpoint and its index, for all tests here."""

import sys

import pytest
import torch
from cover_store import cover_store, version

from s3prl_pemr.covers.__main__ import main as covers

SPLITS = ["train", "train", "valid", "test", "test", "test"]
PREFIX = "config.downstream_expert"


@pytest.fixture(scope="session")
def collection(tmp_path_factory):
    """A folder of six works, two versions each; SRC holds the files, STORE the store."""
    tracks = {
        f"{work}_{number}": (f"song {work}", split, version(work, number, 5 + number))
        for work, split in enumerate(SPLITS)
        for number in range(2)
    }
    return cover_store(tmp_path_factory.mktemp("collection"), tracks).parent


@pytest.fixture(scope="session", params=["kinet", "upstream"])
def checkpoint(request, collection, tmp_path_factory):
    """A checkpoint of one step, and the scores of its test split."""
    from s3prl_pemr.launch.downstream import main

    expdir = tmp_path_factory.mktemp(request.param)
    settings = [f"config.runner.{key}=1" for key in ("total_steps", "eval_step", "save_step", "log_step")]
    settings += [f"{PREFIX}.datarc.store={collection / 'STORE'}", f"{PREFIX}.datarc.crop_columns=[10]"]
    settings += [f"{PREFIX}.modelrc.kind={request.param}"]
    train = ["-m", "train", "-u", "fbank_no_cmvn", "-d", "cover_song", "-p", str(expdir)]
    best = expdir / "dev-best.ckpt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        for name in ("is_available", "device_count"):  # --device cpu replaces them
            patch.setattr(torch.cuda, name, getattr(torch.cuda, name))
        for words in ([*train, "-o", ",,".join(settings)], ["-m", "evaluate", "-e", str(best)]):
            patch.setattr(sys, "argv", ["run_downstream.py", "--device", "cpu", *words])
            main()
    return best


@pytest.fixture
def run(capsys):
    """A command's exit status, and what it printed to both streams."""

    def run(*words):
        status = covers([str(word) for word in words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture(scope="session")
def index(collection, checkpoint, tmp_path_factory):
    path = tmp_path_factory.mktemp("index") / "INDEX"
    command = ["embed", collection / "SRC", path, "--model", checkpoint, "--device", "cpu", "--jobs", "2"]
    assert covers([str(word) for word in command]) == 0
    return path
