"""Slow: every baseline on the log-mel for a while on the demo corpus, at its full width."""

import subprocess
import sys

import pytest
import yaml
from baseline_methods import ON_LOG_MEL
from places import ROOT
from pretraining_runs import log_lines, run

from s3prl_pemr.methods import default_settings
from s3prl_pemr.toolkit.registration import PLUGIN_ROOT

HEALTHY = (
    0.01  # deviation of L2-normalised representations: 0 is collapsed, about 0.02 the untrained encoder's
)


@pytest.fixture(scope="module")
def demo_store(tmp_path_factory):
    for package in ("symusic", "pretty_midi"):  # of the extra `demo`
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("demo")
    prepare = [sys.executable, "-m", "s3prl_pemr.prepare"]
    commands = (["demo", str(folder)], ["mtat", str(folder / "magnatagatune"), str(folder / "store")])
    for arguments in commands:
        subprocess.run([*prepare, *arguments], cwd=ROOT, check=True)
    return str(folder / "store")


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_LOG_MEL)
def test_losses_fall_and_nothing_collapses(tmp_path, demo_store, name):
    config = yaml.safe_load((PLUGIN_ROOT / "pretrain/pemr/config_demo.yaml").read_text())
    config["runner"] |= {"total_steps": 40, "log_step": 5}
    config["optimizer"]["lr"] = 1e-3  # 40 steps are few
    config["pretrain_expert"]["datarc"] |= {
        "store": demo_store, "train_batch_size": 16, "crop_samples": 11_200, "statistics_clips": 64, "seed": 1
    }  # fmt: skip
    run(tmp_path, name, config, yaml.safe_load(default_settings(name)[1].read_text()))
    first, *_, last = log_lines(tmp_path / name)
    assert last["loss"] < first["loss"]  # MoCo's too: its queue begins with real keys
    assert last["embedding_std"] > HEALTHY
