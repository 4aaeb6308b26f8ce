"""run_pretrain.py as a user types it: signals, kill -9, resume, messages."""

import os
import signal
import sys
from pathlib import Path

import pytest
import torch
from launched import finish, wait_for_step, weights
from s3prl.pretrain.training.checkpoint_files import checkpoints

from s3prl_pemr.launch.pretrain import main
from s3prl_pemr.launch.pretrain_arguments import (
    apply_override,
    default_configs,
    experiment_folder,
    parse_arguments,
    warn_on_resume,
)


def test_sigterm_and_kill_9_then_resume_equals_an_uninterrupted_run(tmp_path, launch, monkeypatch):
    process = launch("-n", "cut")
    folder = tmp_path / "result/pretrain/cut"
    wait_for_step(folder, 3, process)
    os.killpg(process.pid, signal.SIGTERM)  # workers too, as schedulers do
    output = process.communicate(timeout=240)[0]
    assert process.returncode == 128 + signal.SIGTERM, output
    stopped = max(checkpoints(folder))
    assert f"stopped by a signal at step {stopped}, saved; go on with -a" in output

    process = launch("-n", "cut", "-a")
    wait_for_step(folder, stopped + 3, process)
    process.kill()
    process.communicate()
    last = max(checkpoints(folder)) + 4
    end = ("-o", f"config.runner.total_steps={last}")
    for process in [launch("-n", "cut", "-a", *end), launch("-p", "whole", *end)]:  # side by side
        finish(process)
    expected, final = weights(tmp_path / "whole", last), weights(folder, last)
    assert all(torch.equal(final[name], expected[name]) for name in expected)
    lines = [(path / "log.jsonl").read_text().count("\n") for path in (folder, tmp_path / "whole")]
    assert lines == [(last + 1) // 2] * 2  # every second step, and the last

    monkeypatch.chdir(tmp_path)
    earlier = str(folder / f"states-{last - 1}.ckpt")
    for more, reason in (
        ([], "holds a run already: pass -a to go on with it"),
        (["-a", "-e", earlier], "branch off into a new folder"),
    ):
        with pytest.raises(SystemExit, match=reason):
            main(["-n", "cut", "-u", "pemr", "--device", "cpu", *more])


def test_torchrun_stopped_by_sigterm_and_resumed_equals_an_uninterrupted_one(tmp_path, launch):
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    process = launch("-p", "cut", launcher=torchrun)
    wait_for_step(tmp_path / "cut", 3, process)
    os.killpg(process.pid, signal.SIGTERM)
    output = process.communicate(timeout=240)[0]
    assert process.returncode != 0
    stopped = max(checkpoints(tmp_path / "cut"))
    assert f"stopped by a signal at step {stopped}, saved; go on with -a" in output
    assert "batch normalisation is per process on CPU" in output

    last = stopped + 3
    finish(launch("-p", "cut", "-a", "-o", f"config.runner.total_steps={last}", launcher=torchrun))
    finish(launch("-p", "whole", "-o", f"config.runner.total_steps={last}", launcher=torchrun))
    expected, final = weights(tmp_path / "whole", last), weights(tmp_path / "cut", last)
    for name in expected:
        assert not name.startswith("module.")
        torch.testing.assert_close(final[name], expected[name], rtol=1e-6, atol=1e-9)


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


def test_settings_repeated_on_a_resume_are_said_not_to_be_read(caplog):
    warn_on_resume(arguments("-n", "x", "-u", "pemr", "-a"), "states-4.ckpt")
    assert not caplog.text
    warn_on_resume(arguments("-n", "x", "-u", "pemr", "-a", "-c", "x.yaml", "--seed", "3"), "states-4.ckpt")
    assert "-c, --seed: not read, the settings in states-4.ckpt are in force" in caplog.text


def test_a_config_that_is_no_yaml_is_named(tmp_path):
    (tmp_path / "bad.yaml").write_text("runner: [")
    with pytest.raises(ValueError, match="bad.yaml: not yaml") as error:
        default_configs(arguments("-u", "pemr", "-n", "x", "-c", str(tmp_path / "bad.yaml")))
    assert "\n" not in str(error.value)


def test_the_seed_reaches_the_data():
    for flags, seed in (([], 1337), (["--seed", "5"], 5)):
        config, _ = default_configs(arguments("-u", "pemr", "-n", "x", *flags))
        assert config["pretrain_expert"]["datarc"]["seed"] == seed
