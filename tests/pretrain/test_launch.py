"""run_pretrain.py as a user types it: signals, kill -9, resume, messages."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from s3prl_pemr.pretrain_arguments import apply_override, default_configs, experiment_folder, parse_arguments

ROOT = Path(__file__).parents[2]
STEPS = 30


@pytest.fixture
def launch(tmp_path, config, model_settings):
    """Starts run_pretrain.py from another folder; a checkpoint at every step."""
    config["runner"] |= {"n_epochs": STEPS // 3, "save_step": 1, "max_keep": 3, "picture_step": 0}
    (tmp_path / "runner.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(model_settings))
    settings = ["-c", str(tmp_path / "runner.yaml"), "-g", str(tmp_path / "model.yaml")]

    def start(*arguments):
        command = [sys.executable, str(ROOT / "run_pretrain.py"), "-u", "pemr", "--device", "cpu"]
        return subprocess.Popen(
            [*command, *settings, *arguments], cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    return start


def newest(folder):
    steps = [int(path.stem.split("-")[1]) for path in folder.glob("states-*.ckpt")]
    return max(steps, default=0)


def wait_for_step(folder, step, process):
    deadline = time.monotonic() + 120
    while newest(folder) < step:
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_sigterm_and_kill_9_then_resume_equals_an_uninterrupted_run(tmp_path, launch):
    whole = launch("-p", "whole")
    assert whole.wait() == 0, whole.stdout.read()

    process = launch("-n", "cut")
    folder = tmp_path / "result/pretrain/cut"
    wait_for_step(folder, 3, process)
    process.send_signal(signal.SIGTERM)
    output = process.communicate()[0]
    assert process.returncode == 128 + signal.SIGTERM, output
    stopped = newest(folder)
    assert stopped < STEPS
    assert f"stopped by a signal at step {stopped}, saved; go on with -a" in output

    process = launch("-n", "cut", "-a")
    wait_for_step(folder, stopped + 3, process)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert newest(folder) < STEPS

    process = launch("-n", "cut", "-a")
    output = process.communicate()[0]
    assert process.returncode == 0, output
    final, expected = (
        torch.load(path / f"states-{STEPS}.ckpt", weights_only=True) for path in (folder, tmp_path / "whole")
    )
    for name, weights in expected["Upstream"].items():
        assert torch.equal(final["Upstream"][name], weights), name
    assert (folder / "log.jsonl").read_text().count("\n") == STEPS // 2

    refused = launch("-n", "cut")
    assert "holds a run already: pass -a to go on with it" in refused.communicate()[0]
    assert refused.returncode == 1


def arguments(*argv):
    args = parse_arguments(list(argv))
    args.device = "cpu"
    return args


def test_defaults_are_the_papers():
    config, model = default_configs(arguments("-u", "pemr", "-n", "x"))
    assert config["runner"]["n_epochs"] == 300
    assert config["optimizer"] == {
        "name": "TorchOptim", "torch_optim_name": "Adam", "lr": 3e-4, "weight_decay": 1e-6
    }  # fmt: skip
    assert config["pretrain_expert"]["datarc"]["train_batch_size"] == 48
    assert model["model"]["mask_ratio"] == 0.1
    assert model["objective"]["trade_off"] == 0.005


def test_override_reaches_both_configs():
    config, model = apply_override(
        "config.runner.n_epochs=2,, model.mask_ratio=0.2,,config.optimizer.name='AdamW'",
        {"runner": {"n_epochs": 300}, "optimizer": {}},
        {"model": {}},
    )
    assert config == {"runner": {"n_epochs": 2}, "optimizer": {"name": "AdamW"}}
    assert model == {"model": {"mask_ratio": 0.2}}
    with pytest.raises(ValueError, match="-o model.mask_ratio: expected key=value"):
        apply_override("model.mask_ratio", {}, {})


def test_a_moved_experiment_goes_on_where_it_lies_now():
    assert experiment_folder(arguments("-e", "elsewhere/states-4.ckpt")) == Path("elsewhere")
    assert experiment_folder(arguments("-e", "elsewhere/states-4.ckpt", "-p", "here")) == Path("here")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["-u", "pemr"], "where to save the experiment"),
        (["-n", "x"], "what to pretrain"),
        (["-u", "nobody", "-n", "x"], "-u nobody: nothing to pretrain by this name"),
        (["-u", "pemr", "-n", "x", "-c", "missing.yaml"], "-c missing.yaml: no such file"),
        (["-u", "tera", "-n", "x"], "no such file .s3prl's package has no yaml of its own upstreams"),
    ],
)
def test_mistakes_end_in_one_line(argv, message):
    with pytest.raises(ValueError, match=message) as error:
        default_configs(arguments(*argv))
    assert "\n" not in str(error.value)
