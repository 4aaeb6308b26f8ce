"""Two gloo processes compute what one does: NT-Xent, the queue, the slow copies."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from baseline_methods import narrow

WORKER = Path(__file__).with_name("distributed_baselines_worker.py")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
METHODS = ("simclr", "moco", "byol", "cola")


@pytest.fixture(scope="module")
def results(tmp_path_factory, store):
    one, two = (tmp_path_factory.mktemp(name) for name in ("one", "two"))
    config = {
        "runner": {"n_epochs": 3, "picture_step": 0},
        # Adam would turn the rounding of gradients that are zero into steps
        "optimizer": {"name": "TorchOptim", "torch_optim_name": "SGD", "lr": 0.05},
        "pretrain_expert": {
            "datarc": {
                "store": store, "train_batch_size": 4, "crop_samples": 8_000, "num_workers": 0,
                "statistics_clips": 16, "seed": 7,
            }
        },
    }  # fmt: skip
    models = {name: narrow(name) for name in METHODS}
    for folder, launcher in ((one, [sys.executable]), (two, TORCHRUN)):
        (folder / "config.json").write_text(json.dumps({"runner": config, "models": models}))
        subprocess.run([*launcher, str(WORKER), str(folder)], check=True, timeout=200)
    return one, two


def test_objectives_in_float64(results):
    one, two = results
    single = torch.load(one / "objectives0.pt")
    halves = [torch.load(two / f"objectives{rank}.pt") for rank in (0, 1)]
    for half in halves:
        assert torch.equal(half["gathered"], single["gathered"])
    for name in ("nt_xent", "bilinear", "info_nce", "byol"):
        loss, gradient = single[name]
        if name in ("nt_xent", "bilinear"):  # of the global batch in every process
            for half in halves:
                torch.testing.assert_close(half[name][0], loss, rtol=1e-9, atol=0)
        mean = (halves[0][name][0] + halves[1][name][0]) / 2
        torch.testing.assert_close(mean, loss, rtol=1e-9, atol=0)
        both = torch.cat([half[name][1] for half in halves], dim=1)
        torch.testing.assert_close(both, gradient, rtol=1e-9, atol=1e-12)
        assert gradient.abs().max() > 1e-3


@pytest.mark.parametrize("name", METHODS)
def test_five_steps(results, name):
    one, two = results
    single = torch.load(one / name / "training0.pt")
    for rank in (0, 1):
        both = torch.load(two / name / f"training{rank}.pt")
        for key, value in single["weights"].items():  # queue, slow copies and counters too
            torch.testing.assert_close(both["weights"][key], value, rtol=1e-4, atol=1e-5, msg=key)
        trained = [key for key in single["weights"] if key.startswith(("model.encoder", "projector"))]
        update, update_of_both = (
            torch.cat([(run["weights"][key] - single["initial"][key]).flatten() for key in trained])
            for run in (single, both)
        )
        assert update.norm() > 1e-4
        assert (update_of_both - update).norm() < 1e-2 * update.norm()
        assert both["values"]["loss"] == pytest.approx(single["values"]["loss"], rel=1e-4)
