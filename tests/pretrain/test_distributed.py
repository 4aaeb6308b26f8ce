"""Two gloo processes compute what one does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

WORKER = Path(__file__).with_name("distributed_worker.py")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]


@pytest.fixture
def results(tmp_path, config, model_settings):
    one, two = tmp_path / "one", tmp_path / "two"
    # Adam would turn the rounding of gradients that are zero (the last bias: U does not see it) into steps
    config["optimizer"] = {"name": "TorchOptim", "torch_optim_name": "SGD", "lr": 1e-4}
    for folder, launcher in ((one, [sys.executable]), (two, TORCHRUN)):
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"runner": config, "model": model_settings}))
        subprocess.run([*launcher, str(WORKER), str(folder)], check=True, timeout=200)
    return one, two


def test_two_processes_equal_one(results):
    one, two = results
    single = torch.load(one / "objective0.pt")
    halves = [torch.load(two / f"objective{rank}.pt") for rank in (0, 1)]
    gradient = torch.cat([half["gradient"] for half in halves], dim=1)
    for half in halves:
        torch.testing.assert_close(half["loss"], single["loss"], rtol=1e-9, atol=0)
    torch.testing.assert_close(gradient, single["gradient"], rtol=1e-9, atol=1e-12)
    assert single["gradient"].abs().max() > 1e-3

    single = torch.load(one / "training0.pt")
    for rank in (0, 1):
        both = torch.load(two / f"training{rank}.pt")
        for name, weights in single["weights"].items():
            torch.testing.assert_close(both["weights"][name], weights, rtol=1e-4, atol=1e-6, msg=name)
        for part in ("encoder", "transformer"):  # not only the weights, also what the steps did to them
            update, update_of_both = (
                torch.cat([
                    (run["weights"][name] - single["initial"][name]).flatten()
                    for name in single["weights"] if name.startswith(f"model.{part}")
                ])
                for run in (single, both)
            )  # fmt: skip
            assert update.norm() > 1e-2
            assert (update_of_both - update).norm() < 1e-2 * update.norm()
        for name in ("loss", "prediction_loss", "positive_loss", "negative_loss"):
            assert both["values"][name] == pytest.approx(single["values"][name], rel=1e-4)
