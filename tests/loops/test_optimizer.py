"""An optimizer's settings: none is dropped, and those that make it fast."""

import pytest
import torch

from s3prl_pemr.loops.optimizer import complete_optimizer_config, on_device


@pytest.mark.parametrize(
    ("config", "device", "fused"),
    [
        ({"name": "TorchOptim", "torch_optim_name": "Adam"}, "cuda:0", True),
        ({"name": "TorchOptim", "torch_optim_name": "Adam", "fused": False}, "cuda:0", False),
        ({"name": "TorchOptim", "torch_optim_name": "Adam"}, "cpu", None),
        ({"name": "TorchOptim", "torch_optim_name": "RMSprop"}, "cuda:0", None),
        ({"name": "Adam"}, "cuda:0", None),
    ],
)
def test_the_fused_update_on_cuda(config, device, fused):
    before = dict(config)
    assert on_device(config, device).get("fused") is fused
    assert config == before


@pytest.mark.parametrize(
    ("config", "completed"),
    [
        ({"name": "Adam", "lr": 0.1}, None),
        ({"name": "AdamW", "lr": 0.1}, None),
        ({"name": "TorchOptim", "torch_optim_name": "SGD", "lr": 0.1, "momentum": 0.9}, None),
        ({"name": "BertAdam_with_schedule", "lr": 0.1, "warmup_proportion": 0.1}, None),
        (
            {"name": "Adam", "weight_decay": 0.5},
            {"torch_optim_name": "Adam", "lr": 2e-4, "betas": (0.9, 0.999), "weight_decay": 0.5},
        ),
        (
            {"name": "AdamW", "lr": 0.1, "betas": [0.8, 0.9]},
            {"torch_optim_name": "AdamW", "lr": 0.1, "betas": [0.8, 0.9], "eps": 1e-6, "weight_decay": 0.0},
        ),
    ],
)
def test_no_setting_of_an_optimizer_is_dropped(config, completed):
    before = dict(config)
    expected = config if completed is None else {"name": "TorchOptim", **completed}
    assert complete_optimizer_config(config) == expected
    assert config == before


def test_weight_decay_reaches_the_optimizer(run_downstream, tmp_path, caplog):
    override = "config.optimizer.weight_decay=0.25,,config.runner.total_steps=4"
    run_downstream("-m", "train", "-u", "tiny_random", "-d", "counting", "-p", tmp_path, "-o", override)
    group = torch.load(tmp_path / "states-4.ckpt")["Optimizer"]["param_groups"][0]
    assert (group["weight_decay"], group["lr"]) == (0.25, 0.01)
    assert "would ignore weight_decay" in caplog.text
