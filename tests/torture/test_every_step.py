"""Exact resume as a property: steps 0 to k and k to n equal steps 0 to n, for every k, method and task.

A run keeps a checkpoint of each step, and goes on from each of them in a new folder.
"""

import os
import socket
import time

import pytest
import torch
import yaml
from commands import cases
from forked import finish, start
from pretraining_fixtures import MODEL
from pretraining_runs import equal, runner_config

from s3prl_pemr.methods import METHODS

STEPS = 4
OTHER = {"Args", "Config"}  # of a checkpoint: name the folder


def narrow(name, clips):
    """Model settings of a small network of a method, for batches of so many clips."""
    settings = dict(MODEL, method=name)
    if name not in ("pemr", "pemr_pos"):
        model = {"frontend": {"n_mels": 32}, "encoder_channels": [4, 4, 8, 8]}
        settings["model"] = {} if name == "clmr" else model
    if name in ("moco", "moco_v2"):
        settings["objective"] = {"queue_size": clips, "momentum": 0.9}
    return settings


def together(commands, folder, processes):
    """A command in one process or, as torchrun starts them, in several; asserts that all end well."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun, started = time.monotonic(), []
    for rank in range(processes):
        places = folder / f"rank{rank}"
        places.mkdir(exist_ok=True)
        shared = {"WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes, "MASTER_ADDR": "127.0.0.1"}
        names = {"RANK": rank, "LOCAL_RANK": rank, "MASTER_PORT": port, **shared}
        if processes > 1:
            os.environ.update({name: str(value) for name, value in names.items()})
        started.append((start(commands, places), places))
        for name in names:
            os.environ.pop(name, None)
    for process, places in started:
        outcome = finish(process, places, begun)
        assert outcome.status == 0, outcome.printed[-2000:]


def differing(whole, part):
    """Keys of two checkpoints that are not the same."""
    a, b = (torch.load(path, weights_only=True) for path in (whole, part))
    return sorted(key for key in set(a) | set(b) if key not in OTHER and not equal(a.get(key), b.get(key)))


@pytest.mark.torture
@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("name", METHODS)
def test_pretraining(inputs, tmp_path, name, processes, report):
    config = runner_config(str(inputs / "STORE"))
    config["runner"] |= {
        "n_epochs": -1,
        "total_steps": STEPS,
        "save_step": 1,
        "max_keep": STEPS,
        "log_step": 3,
    }
    config["runner"] |= {"picture_step": 0, "keep_every_epochs": 0}
    clips = {1: 4, 2: 4, 3: 6}[processes]
    crop = 59_049 if name == "clmr" else 4_000
    config["pretrain_expert"]["datarc"] |= {"crop_samples": crop, "train_batch_size": clips}
    for file, content in (("runner", config), ("model", narrow(name, clips))):
        (tmp_path / f"{file}.yaml").write_text(yaml.safe_dump(content))
    words = ["pretrain", "--device", "cpu"]
    settings = ["-u", name, "-c", tmp_path / "runner.yaml", "-g", tmp_path / "model.yaml"]
    together([*words, *settings, "-p", tmp_path / "whole"], tmp_path, processes)
    for step in range(1, STEPS):
        part = tmp_path / f"from{step}"
        past = tmp_path / f"whole/states-{step}.ckpt"
        together([*words, "-e", past, "-p", part], tmp_path, processes)
        assert differing(tmp_path / f"whole/states-{STEPS}.ckpt", part / f"states-{STEPS}.ckpt") == []
    report(f"pretrain {name}, {processes} processes: {STEPS - 1} resumes, 0 differ")


@pytest.mark.torture
@pytest.mark.parametrize("name", ["tagging", "cover_song"])
def test_downstream(inputs, tmp_path, name, report):
    words = [str(word) for word in cases(inputs)[name].words if word not in ("-a", "-p", "run")]
    more = f",,config.runner.total_steps={STEPS},,config.runner.max_keep={STEPS}"
    words[words.index("-o") + 1] += more
    together([*words, "-p", tmp_path / "whole"], tmp_path, 1)
    for step in range(1, STEPS):
        past = tmp_path / f"whole/states-{step}.ckpt"
        part = tmp_path / f"from{step}"
        part.mkdir()
        past = past.rename(part / past.name)  # a downstream run goes on where its checkpoint lies
        together(["downstream", "-m", "train", "--device", "cpu", "-e", past], tmp_path, 1)
        assert differing(tmp_path / f"whole/states-{STEPS}.ckpt", part / f"states-{STEPS}.ckpt") == []
    report(f"downstream {name}: {STEPS - 1} resumes, 0 differ")
