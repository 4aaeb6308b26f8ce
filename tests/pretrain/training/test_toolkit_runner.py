"""The expert in s3prl's own pretraining Runner, with the shipped config_toolkit.yaml."""

import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
import torch
import yaml
from places import ROOT
from s3prl.upstream.pemr.expert import load_pemr


@pytest.fixture
def trained(tmp_path, config, model_settings):
    shipped = Path(str(resources.files("s3prl.pretrain.pemr"))) / "config_toolkit.yaml"
    toolkit = yaml.safe_load(shipped.read_text())
    toolkit["runner"] |= {"total_steps": 5, "log_step": 2, "save_step": 4}
    toolkit["pretrain_expert"]["datarc"] |= config["pretrain_expert"]["datarc"]
    (tmp_path / "toolkit.yaml").write_text(yaml.safe_dump(toolkit))
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(model_settings))
    command = [
        sys.executable, str(ROOT / "run_pretrain.py"), "-u", "pemr", "--toolkit_runner", "--device", "cpu",
        "-p", str(tmp_path / "run"), "-c", str(tmp_path / "toolkit.yaml"), "-g", str(tmp_path / "model.yaml"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "run/states-5.ckpt").rename(tmp_path / "last.ckpt")
    silent = os.environ | {"TQDM_DISABLE": "1"}  # its step counter is the bar: it went on for ever
    done = subprocess.run(
        [*command, "-a"], capture_output=True, text=True, timeout=200, cwd=tmp_path, env=silent
    )
    assert done.returncode == 0, done.stderr
    assert "begins with the first batch" in done.stderr
    return tmp_path


def test_trains_logs_resumes_and_saves_what_the_upstream_loads(trained):
    last = torch.load(trained / "last.ckpt", weights_only=True)
    # the toolkit writes one step less than were done (s3prl/pretrain/runner.py:253)
    assert (last["Step"], last["Method"]) == (4, "pemr")
    assert list((trained / "run").glob("events.out.tfevents.*"))
    weights = "encoder.blocks.0.conv.weight"
    early, resumed = (torch.load(trained / f"run/states-{n}.ckpt", weights_only=True) for n in (4, 5))
    assert not torch.equal(early["Upstream"][weights], last["Upstream"][weights])
    assert not torch.equal(early["Upstream"][weights], resumed["Upstream"][weights])
    model = load_pemr(trained / "last.ckpt")
    assert model.config.frontend.n_mels == 32
