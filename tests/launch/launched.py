"""run_pretrain.py in a process of its own, shared by the tests of signals and of several processes."""

import time

import torch
from s3prl.pretrain.training.checkpoint_files import checkpoints


def wait_for_step(folder, step, process):
    deadline = time.monotonic() + 150
    while max(checkpoints(folder), default=0) < step:
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def finish(process):
    output = process.communicate(timeout=200)[0]
    assert process.returncode == 0, output


def weights(folder, step):
    return torch.load(folder / f"states-{step}.ckpt", weights_only=True)["Upstream"]
