"""A downstream run that was stopped anywhere goes on as if it had not been."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch
from places import TOOLKIT_TASKS
from pretraining_runs import equal

from s3prl_pemr.loops.downstream_runner import Runner

TRAIN = ("-m", "train", "-u", "tiny_random", "-p")
SAVED = ("Optimizer", "Step", "Epoch", "Downstream", "Featurizer", "Upstream", "Position")
DROPOUT = "config.downstream_expert.dropout=0.5"


def load(path):
    return torch.load(path, weights_only=True)


def batches(expdir):
    lines = (expdir / "seen-0.txt").read_text().splitlines()
    return [line for line in lines if line.startswith("train")]


ACCUMULATED = "config.runner.gradient_accumulate_steps=2"


@pytest.mark.parametrize(
    ("task", "stop", "more"),  # an epoch has 4 batches; each 2nd step evaluates
    [
        ("counting", 1, "config.runner.max_keep=9"),
        ("counting", 4, "config.runner.max_keep=9"),
        ("counting_without_epoch", 6, "config.runner.max_keep=9"),
        ("counting", 3, ACCUMULATED),
        ("counting_without_epoch", 4, ACCUMULATED),
    ],
)
def test_stopped_at_any_step(run_downstream, tmp_path, task, stop, more):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    settings = f"config.runner.save_step=1,,config.runner.eval_step=2,,{DROPOUT},,{more}"
    flags = ("-f", "-d", task, "-o")
    run_downstream(*TRAIN, whole, *flags, f"{settings},,config.runner.total_steps=7")
    run_downstream(*TRAIN, parts, *flags, f"{settings},,config.runner.total_steps={stop}")
    run_downstream("-m", "train", "-e", parts, "-o", "config.runner.total_steps=7")
    assert batches(parts) == batches(whole)
    resumed, expected = (load(path / "states-7.ckpt") for path in (parts, whole))
    for key in SAVED:
        if key in expected:
            assert equal(resumed[key], expected[key]), key


def test_a_checkpoint_of_an_earlier_version_begins_its_epoch_again(run_downstream, tmp_path):
    run_downstream(
        *TRAIN, tmp_path, "-d", "counting", "-o", "config.runner.save_step=6,,config.runner.total_steps=6"
    )
    states = load(tmp_path / "states-6.ckpt")
    del states["Position"]
    torch.save(states, tmp_path / "states-6.ckpt")
    (tmp_path / "seen-0.txt").unlink()
    run_downstream("-m", "train", "-e", tmp_path, "-o", "config.runner.total_steps=10")
    assert len(batches(tmp_path)) == 4
    assert load(tmp_path / "states-6.ckpt")["Epoch"] == 1


def start(expdir, *flags, steps=100_000):
    """A run of its own process group, once its first step is done."""
    settings = (
        f"config.runner.total_steps={steps},,config.runner.eval_step=50,,config.runner.save_step=1000000"
    )
    command = [sys.executable, TOOLKIT_TASKS / "run_counting.py", *TRAIN, expdir, *flags, "--device", "cpu"]
    process = subprocess.Popen(
        [*command, "-d", "counting", "-o", f"{settings},,{DROPOUT}"],
        start_new_session=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    for _ in range(600):
        if (expdir / "seen-0.txt").exists():
            return process
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("did not begin")


def test_a_signal_to_the_whole_group_saves_and_the_run_goes_on(run_downstream, tmp_path):
    process = start(tmp_path / "run")
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)  # SIGTERM: below, and tests/launch/test_pretrain_launch.py
    _, error = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in error
    step = int(re.search(r"stopped by a signal at step (\d+), saved; go on with -a", error)[1])
    assert [path.name for path in (tmp_path / "run").glob("*.ckpt")].count(f"states-{step}.ckpt") == 1
    saving = f"config.runner.save_step={step + 9},,config.runner.total_steps={step + 9}"
    run_downstream("-m", "train", "-e", tmp_path / "run", "-o", saving)
    common = f"config.runner.eval_step=50,,{DROPOUT}"
    run_downstream(*TRAIN, tmp_path / "whole", "-d", "counting", "-o", f"{saving},,{common}")
    resumed, expected = (load(tmp_path / name / f"states-{step + 9}.ckpt") for name in ("run", "whole"))
    for key in ("Step", "Epoch", "Downstream", "Optimizer", "Position"):
        assert equal(resumed[key], expected[key]), key


@pytest.mark.parametrize("step", [3, 4, 5])  # behind the 4th, a new epoch has been asked for
def test_a_signal_at_an_epochs_end(run_downstream, tmp_path, monkeypatch, step):
    stop, asked = Runner._stop_if_asked, []

    def signalled(runner):
        asked.append(runner)
        if len(asked) == step + 1:
            os.kill(os.getpid(), signal.SIGTERM)
        stop(runner)

    flags = ("-d", "counting", "-o", f"{DROPOUT},,config.runner.save_step=9,,config.runner.total_steps=9")
    with monkeypatch.context() as patched:
        patched.setattr(Runner, "_stop_if_asked", signalled)
        with pytest.raises(SystemExit) as caught:
            run_downstream(*TRAIN, tmp_path / "run", *flags)
    assert caught.value.code == 143
    run_downstream("-m", "train", "-e", tmp_path / "run")
    run_downstream(*TRAIN, tmp_path / "whole", *flags)
    resumed, expected = (load(tmp_path / name / "states-9.ckpt") for name in ("run", "whole"))
    for key in ("Step", "Epoch", "Downstream", "Optimizer", "Position"):
        assert equal(resumed[key], expected[key]), key
