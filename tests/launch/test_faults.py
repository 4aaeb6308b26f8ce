"""Faults that happen to a command: each ends it within seconds, in one line, with what was saved kept."""

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch
import yaml
from packaging.version import Version
from places import ROOT, TOOLKIT_TASKS
from pretraining_runs import run

from s3prl_pemr.launch.errors import line_of
from s3prl_pemr.launch.pretrain import main as pretrain

SECONDS = 60  # for an expected end


def pretrain_command(tmp_path, config, model_settings, workers=2):
    config["runner"] |= {
        "total_steps": 10**5,
        "n_epochs": 10**6,
        "save_step": 10**6,
        "picture_step": 0,
    }
    config["pretrain_expert"]["datarc"] |= {"num_workers": workers}
    config["pretrain_expert"]["datarc"]["store"] = str(config["pretrain_expert"]["datarc"]["store"])
    for name, content in (("runner", config), ("model", model_settings)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return [
        sys.executable, "-m", "s3prl_pemr", "pretrain", "-u", "pemr", "-p", tmp_path / "run",
        "--device", "cpu", "-c", tmp_path / "runner.yaml", "-g", tmp_path / "model.yaml",
    ]  # fmt: skip


def begin(command, begun: Path, **settings):
    process = subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, **settings,
    )  # fmt: skip
    for _ in range(1200):
        if begun.exists() and begun.stat().st_size:
            return process
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    raise AssertionError("did not begin")


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def loader_workers(pid):
    named = [(child, Path(f"/proc/{child}/cmdline").read_bytes()) for child in children(pid)]
    return [child for child, command in named if b"resource_tracker" not in command]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_a_killed_loader_worker_ends_pretraining(tmp_path, config, model_settings):
    process = begin(pretrain_command(tmp_path, config, model_settings), tmp_path / "run/log.jsonl")
    workers = loader_workers(process.pid)
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    _, error = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "error: a worker process that reads data " in error  # by torch: is killed, or exited
    assert "Traceback" not in error
    assert not Path(f"/proc/{workers[1]}").exists()


def test_an_error_that_nobody_expects_ends_pretraining_with_loader_workers(tmp_path, config, model_settings):
    code = (
        "import sys\n"
        "from s3prl_pemr.launch import pretrain\n"
        "from s3prl.pretrain.training.runner import PretrainRunner\n"
        "def fail(self, *_): raise RuntimeError('nobody expects this')\n"
        "PretrainRunner._train_step = fail\n"
        "sys.exit(pretrain.main(sys.argv[1:]))\n"
    )
    command = pretrain_command(tmp_path, config, model_settings)
    process = subprocess.run(
        [sys.executable, "-c", code, *command[4:]], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert process.returncode == 1
    assert "RuntimeError: nobody expects this" in process.stderr


@pytest.mark.parametrize("command", ["pretrain", "downstream"])
def test_two_runs_in_one_folder(run_downstream, tmp_path, command):
    hold = (
        "import sys, time, pathlib\nfrom s3prl_pemr.safety.sole_writer import sole_writer\n"
        "with sole_writer(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold, tmp_path], stdout=subprocess.PIPE, cwd=ROOT)
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(SystemExit, match=f"^error: .*another command .process {holder.pid}. is writing here"):
        if command == "pretrain":
            pretrain(["-u", "pemr", "-p", str(tmp_path), "--device", "cpu"])
        else:
            run_downstream("-m", "train", "-u", "tiny_random", "-d", "counting", "-p", tmp_path)
    holder.kill()
    holder.communicate()


def small_files(largest_bytes=20_000):
    """The disk is full for a larger file: EFBIG, to a program the same as ENOSPC."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_bytes, largest_bytes))
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)  # `make coverage` needs larger ones


def test_a_full_disk_in_pretraining_keeps_the_checkpoint_before(tmp_path, config, model_settings):
    run(tmp_path, "run", config, model_settings)
    before = sorted(path.name for path in (tmp_path / "run").glob("states-*"))
    command = pretrain_command(tmp_path, config, model_settings, workers=0)
    done = subprocess.run(
        [*command, "-a", "-o", "config.runner.n_epochs=99"],
        cwd=ROOT, capture_output=True, text=True, timeout=240, preexec_fn=small_files,
    )  # fmt: skip
    assert done.returncode == 1
    line = f"error: {tmp_path / 'run'}/states-"
    assert done.stderr.splitlines()[-1].startswith(line) and "File too large; make room;" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in (tmp_path / "run").glob("states-*")) == before
    assert torch.load(tmp_path / "run" / before[-1], weights_only=True)["Step"] == 9


def test_a_full_disk_in_the_downstream_loop_keeps_the_checkpoint_before(run_downstream, tmp_path):
    flags = ["-m", "train", "-u", "tiny_random", "-d", "counting", "-p", tmp_path]
    run_downstream(*flags, "-o", "config.runner.total_steps=4")
    done = subprocess.run(
        [sys.executable, TOOLKIT_TASKS / "run_counting.py", *flags[:2], "-e", tmp_path, "--device", "cpu",
         "-o", "config.runner.total_steps=8"],
        cwd=ROOT, capture_output=True, text=True, timeout=240, preexec_fn=partial(small_files, 6_000),
    )  # fmt: skip
    print(done.stderr)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ") and "Traceback" not in done.stderr
    assert torch.load(tmp_path / "states-4.ckpt", weights_only=True)["Step"] == 4
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
@pytest.mark.skipif(Version(torch.__version__) < Version("2.6"), reason="torch loses it while it is imported")
@pytest.mark.parametrize("words", [["-m", "s3prl_pemr", "--help"], ["run_downstream.py", "--help"]])
def test_ctrl_c_during_the_imports(words):
    process = subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a background job ignores it
    )  # fmt: skip
    libraries = Path(f"/proc/{process.pid}/maps")
    while "libtorch_cpu" not in libraries.read_text():  # in the midst of it: the rest takes a second or more
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=SECONDS)
    assert process.returncode in (130, -signal.SIGINT)  # a shell says 130 of both
    assert error == "interrupted\n"


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "make room; what was saved before is kept"),
        (errno.EACCES, "choose a place that may be"),
        (errno.EMFILE, "ulimit -n"),
    ],
)
def test_what_the_machine_refuses_is_a_line_wherever_it_is_met(number, remedy):
    line = line_of(OSError(number, os.strerror(number), "run/x"))
    assert line.startswith(f"run/x: {os.strerror(number)}; ") and remedy in line


def test_a_full_gpu_is_a_line_that_says_what_helps():
    line = line_of(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"))
    assert "train_batch_size" in line and "bf16" in line and "\n" not in line


def test_what_is_our_fault_keeps_its_traceback():
    assert line_of(RuntimeError("a bug")) is None
    assert line_of(OSError("without a number")) is None
