"""Pretraining on two nodes: two torchrun agents that meet on the loopback, one of which is killed."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
import torch
from launched import finish, wait_for_step, weights
from s3prl.pretrain.training.checkpoint_files import checkpoints


@pytest.fixture
def launch_nodes(launch):
    """Starts an agent for each of two nodes, the first of which is the meeting point; returns both."""

    def start(*arguments):
        with socket.create_server(("127.0.0.1", 0)) as free:
            endpoint = f"127.0.0.1:{free.getsockname()[1]}"
        agent = (sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1")
        agent += ("--rdzv-backend", "c10d", "--rdzv-endpoint", endpoint, "--rdzv-id", "run")
        return [launch(*arguments, launcher=agent) for _ in range(2)]

    return start


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
def test_a_node_that_dies_ends_the_other_and_the_run_goes_on(tmp_path, launch, launch_nodes):
    nodes = launch_nodes("-p", "cut")
    wait_for_step(tmp_path / "cut", 3, nodes[0])
    for pid in (nodes[1].pid, *children(nodes[1].pid)):  # torchrun gives its workers groups of their own
        os.kill(pid, signal.SIGKILL)
    died = time.monotonic()
    nodes[0].communicate(timeout=60)  # an end, not a hang
    print(f"the other ended after {time.monotonic() - died:.0f} s, status {nodes[0].returncode}")
    assert nodes[0].returncode != 0
    nodes[1].communicate()
    last = max(checkpoints(tmp_path / "cut")) + 3
    end = ("-o", f"config.runner.total_steps={last}")
    for process in launch_nodes("-p", "cut", "-a", *end):
        finish(process)
    standalone = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    finish(launch("-p", "whole", *end, launcher=standalone))
    expected, final = weights(tmp_path / "whole", last), weights(tmp_path / "cut", last)
    for name in expected:
        torch.testing.assert_close(final[name], expected[name], rtol=1e-6, atol=1e-9)
