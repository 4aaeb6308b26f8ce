"""Which precision `auto` is."""

import pytest
import torch
from s3prl.pretrain.training import precision
from s3prl.pretrain.training.precision import bf16_speed_up, precision_here


@pytest.mark.parametrize(("speed_up", "chosen"), [(2.0, "bf16"), (1.1, "fp32"), (0.6, "fp32")])
def test_a_cpu_is_timed(monkeypatch, caplog, speed_up, chosen):
    caplog.set_level("INFO")
    monkeypatch.setattr(precision, "bf16_speed_up", lambda: speed_up)
    assert precision_here("auto", "cpu") == chosen
    assert f"precision auto: {chosen}" in caplog.text


@pytest.mark.parametrize(("supported", "chosen"), [(True, "bf16"), (False, "fp32")])
def test_a_gpu_is_asked(monkeypatch, supported, chosen):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported)
    assert precision_here("auto", "cuda:0") == chosen


@pytest.mark.parametrize("name", ["fp32", "bf16", "fp16"])
def test_what_is_named_is_taken(name):
    assert precision_here(name, "cpu") == name


def test_the_measurement_draws_nothing_from_the_run():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert bf16_speed_up() > 0
    assert torch.equal(torch.get_rng_state(), before)
