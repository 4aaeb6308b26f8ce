"""run_downstream.py: its device, and processes of its own, also two under torchrun."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from places import ROOT, TOOLKIT_TASKS

from s3prl_pemr.loops.device import choose_device

CPU = ("--device", "cpu")


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", 2)


@pytest.mark.parametrize(
    ("requested", "gpus", "local_rank", "device"),
    [
        (None, 0, None, "cpu"),
        (None, 2, None, "cuda"),
        (None, 2, 1, "cuda:1"),
        (None, 0, 1, "cpu"),
        ("cpu", 2, 1, "cpu"),
        ("cuda", 2, 0, "cuda:0"),
        ("cuda:1", 2, None, "cuda:1"),
    ],
)
def test_device(monkeypatch, requested, gpus, local_rank, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert choose_device(requested, local_rank) == device


@pytest.mark.parametrize(
    ("gpus", "local_rank", "message"), [(0, None, "no CUDA device"), (2, 2, "lower --nproc_per_node")]
)
def test_device_that_is_not_there(monkeypatch, gpus, local_rank, message):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with pytest.raises(ValueError, match=message):
        choose_device("cuda", local_rank)


def test_cpu_on_a_machine_with_cuda(run_downstream, elsewhere, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ValueError, match="Expected a cuda device"):
        torch.cuda.device("cpu")  # what s3prl/downstream/runner.py:448 would reach
    run_downstream("-m", "train", "-u", "tiny_random", "-d", "counting", "-n", "a")  # evaluates twice
    assert Path("result/downstream/a/dev-best.ckpt").is_file()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""


def start(*command, cwd):
    """A python process without what a torchrun around these tests would tell it."""
    environment = {k: v for k, v in os.environ.items() if k not in ("WORLD_SIZE", "LOCAL_RANK", "RANK")}
    environment["OMP_NUM_THREADS"] = "1"
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.fixture
def example_config(tmp_path):
    """The toolkit's own example task in small: its clips are 5 to 20 s of noise."""
    config = {
        "runner": {
            **{"total_steps": 2, "gradient_clipping": 1, "gradient_accumulate_steps": 1, "log_step": 1},
            **{"eval_step": 2, "save_step": 2, "max_keep": 1, "eval_dataloaders": ["dev"]},
            "evaluate_ratio": 0.01,
        },
        "optimizer": {"name": "AdamW", "lr": 1.0e-3},
        "downstream_expert": {
            "datarc": {"num_workers": 0, "train_batch_size": 2, "eval_batch_size": 1},
            "modelrc": {"input_dim": 4},
        },
    }
    path = tmp_path / "example.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def test_the_toolkits_example_is_trained_resumed_and_evaluated(elsewhere, example_config):
    run = (ROOT / "run_downstream.py", *CPU, "-m")
    start(
        *run,
        "train",
        "-u",
        "fbank_no_cmvn",
        "-d",
        "example",
        "-c",
        example_config,
        "-p",
        "exp",
        cwd=elsewhere,
    )
    assert torch.load(elsewhere / "exp/states-2.ckpt")["Step"] == 2
    start(*run, "train", "-e", "exp", "-o", "config.runner.total_steps=4", cwd=elsewhere)
    assert torch.load(elsewhere / "exp/states-4.ckpt")["Step"] == 4
    done = start(*run, "evaluate", "-t", "test", "-e", "exp/states-4.ckpt", cwd=elsewhere)
    assert "Loading Downstream weights" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.slow  # the test after it covers more of torchrun, on a task of our own
def test_torchrun_trains_the_toolkits_example(elsewhere, example_config):
    flags = ("-m", "train", "-u", "fbank_no_cmvn", "-d", "example", "-c", example_config, "-p", "exp", *CPU)
    start(*TORCHRUN, ROOT / "run_downstream.py", *flags, cwd=elsewhere)
    states = torch.load(elsewhere / "exp/states-2.ckpt")
    assert (states["Step"], states["WorldSize"], states["Args"].local_rank) == (2, 2, 0)
    assert len(list((elsewhere / "exp").glob("events*"))) == 1


def test_torchrun_of_two_equals_one_process_on_the_same_batches(run_downstream, elsewhere, tmp_path):
    """Fine-tuning on 2 x 2 clips a step against 4, unshuffled: 0 2 and 1 3, then 4 6 and 5 7 ..."""
    flags = ("-m", "train", "-u", "tiny_random", "-d", "counting", "-f")
    plateau = {"name": "ReduceLROnPlateau", "metric": "counting/dev-constant", "factor": 0.1, "patience": 0}
    plain = (
        f"config.downstream_expert.shuffle=False,,config.runner.total_steps=16,,config.scheduler={plateau}"
    )
    run_downstream(*flags, "-p", "one", "-o", plain)
    start(
        *(*TORCHRUN, TOOLKIT_TASKS / "run_counting.py", *flags, "-p", "two", *CPU),
        *("-o", f"{plain},,config.downstream_expert.batch_size=2"),
        cwd=elsewhere,
    )
    one, two = torch.load("one/states-16.ckpt"), torch.load("two/states-16.ckpt")
    seen = [Path(f"two/seen-{rank}.txt").read_text().splitlines() for rank in (0, 1)]
    assert [line for line in seen[0] if "train" in line][:2] == ["train 0 2", "train 4 6"]
    assert seen[1] == ["train 1 3", "train 5 7", "train 9 11", "train 13 15"] * 4  # and no evaluation
    assert one["Optimizer"]["param_groups"][0]["lr"] == pytest.approx(
        1e-4
    )  # two falls from 1e-2, on both sides
    for part in ("Upstream", "Downstream"):
        for name, weight in one[part].items():
            torch.testing.assert_close(two[part][name], weight, rtol=1e-4, atol=1e-5, msg=f"{part} {name}")
