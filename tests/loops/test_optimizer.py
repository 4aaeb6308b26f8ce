"""Settings that make an optimizer fast."""

import pytest

from s3prl_pemr.loops.optimizer import on_device


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
