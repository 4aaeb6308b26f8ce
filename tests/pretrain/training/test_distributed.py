"""Two gloo processes compute what one does: PEMR, NT-Xent, the queue, the slow copies."""

import json
import subprocess
import sys

import distributed_worker
import pytest
import torch
from baseline_methods import narrow
from pretraining_runs import runner_config

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
# Rates of SGD: Adam would turn the rounding of zero gradients (the last bias: U does not see it) into steps.
RATES = {"pemr": 1e-4, "simclr": 0.05, "moco": 0.05, "byol": 0.05, "cola": 0.05}
# Sets of weights that the steps move, each compared by itself.
TRAINED = {"pemr": ("model.encoder", "model.transformer")}


@pytest.fixture(scope="module")
def results(tmp_path_factory, store):
    one, two = (tmp_path_factory.mktemp(name) for name in ("one", "two"))
    models = {}
    for name, rate in RATES.items():
        optimizer = {"name": "TorchOptim", "torch_optim_name": "SGD", "lr": rate}
        models[name] = {"runner": runner_config(store) | {"optimizer": optimizer}, "model": narrow(name)}
    for folder in (one, two):
        (folder / "config.json").write_text(json.dumps(models))
    subprocess.run([*TORCHRUN, distributed_worker.__file__, str(two)], check=True, timeout=200)
    distributed_worker.compute(one)
    return one, two


@pytest.mark.parametrize("name", ["pemr", "nt_xent", "bilinear", "info_nce", "byol"])
def test_objectives_in_float64(results, name):
    one, two = results
    single = torch.load(one / "objectives0.pt")
    halves = [torch.load(two / f"objectives{rank}.pt") for rank in (0, 1)]
    loss, gradient = single[name]
    for half in halves:
        assert torch.equal(half["gathered"], single["gathered"])
        if name in ("pemr", "nt_xent", "bilinear"):  # of the global batch in every process
            torch.testing.assert_close(half[name][0], loss, rtol=1e-9, atol=0)
    torch.testing.assert_close((halves[0][name][0] + halves[1][name][0]) / 2, loss, rtol=1e-9, atol=0)
    both = torch.cat([half[name][1] for half in halves], dim=1)
    torch.testing.assert_close(both, gradient, rtol=1e-9, atol=1e-12)
    assert gradient.abs().max() > 1e-3


def change(weights, initial, part):
    """What the steps did to the weights whose names begin with `part`, as one vector."""
    names = [name for name in weights if name.startswith(part)]
    return torch.cat([(weights[name] - initial[name]).double().flatten() for name in names])


@pytest.mark.parametrize("name", RATES)
def test_five_steps(results, name):
    """Against the size of the steps: how float32 rounds depends on the machine and on the batch's size."""
    one, two = results
    single = torch.load(one / name / "training0.pt")
    for rank in (0, 1):
        both = torch.load(two / name / f"training{rank}.pt")
        assert both["weights"].keys() == single["weights"].keys()
        for key, value in single["weights"].items():  # queue, slow copies and counters too
            difference = (both["weights"][key] - value).double().norm()
            moved = (value - single["initial"][key]).double().norm()
            assert difference <= 1e-2 * moved + 1e-6 * value.double().norm(), key
        for part in TRAINED.get(name, ("model.encoder", "projector")):
            update, update_of_both = (
                change(run["weights"], single["initial"], part) for run in (single, both)
            )
            assert update.norm() > (1e-2 if name == "pemr" else 1e-4)
            assert (update_of_both - update).norm() < 1e-3 * update.norm()
        for value in ("loss", "prediction_loss", "positive_loss", "negative_loss"):
            if value in single["values"]:
                assert both["values"][value] == pytest.approx(single["values"][value], rel=1e-4)
