"""Fixtures of every test below, and run_pretrain.py as a user types it."""

import os
import subprocess
import sys

import pytest
import yaml
from places import ROOT
from pretraining_fixtures import config, model_settings, store  # noqa: F401

ENDLESS = 10**6


@pytest.fixture
def launch(tmp_path, config, model_settings):  # noqa: F811
    """Starts run_pretrain.py from another folder, in a process group of its own; saves every step."""
    config["runner"] |= {"n_epochs": ENDLESS, "save_step": 1, "max_keep": 3, "picture_step": 0}
    config["runner"]["keep_every_epochs"] = 0
    config["pretrain_expert"]["datarc"]["num_workers"] = 2
    (tmp_path / "runner.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(model_settings))
    configs = ["-u", "pemr", "-c", str(tmp_path / "runner.yaml"), "-g", str(tmp_path / "model.yaml")]

    def start(*arguments, launcher=(sys.executable,)):
        return subprocess.Popen(
            [*launcher, str(ROOT / "run_pretrain.py"), "--device", "cpu", *configs, *arguments],
            cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    return start


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working directory that holds nothing of ours."""
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory
