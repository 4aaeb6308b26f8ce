"""The upstream in s3prl's hands: hub names, checkpoints, the Featurizer, messages."""

import pytest
import torch
import yaml
from s3prl import hub
from s3prl.upstream.interfaces import Featurizer
from s3prl.upstream.pemr.config import PemrConfig
from s3prl.upstream.pemr.model import PEMR

from s3prl_pemr.settings import parse

NARROW = {"transformer": {"layers": 2, "heads": 1}, "encoder_channels": [2, 2, 2, 4]}


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(3)
    model = PEMR(parse(PemrConfig, NARROW, "test"))
    states = {
        "Method": "pemr",
        "Upstream_Config": {"model": NARROW},
        "Upstream": model.state_dict(),
        "Step": 7,
    }
    torch.save(states, tmp_path / "pemr.ckpt")
    return tmp_path / "pemr.ckpt", states


def test_contract():
    expert = hub.pemr_random()
    wavs = [torch.randn(16_000), torch.randn(43_200)]
    with torch.no_grad():
        out = expert(wavs)
    assert [h.shape for h in out["hidden_states"]] == [(2, 3, 512)]
    assert out["last_hidden_state"] is out["hidden_states"][-1]
    assert expert.get_downsample_rates("hidden_states") == 16_384


def test_featurizer_takes_it():
    expert = hub.pemr_random()
    featurizer = Featurizer(expert, upstream_device="cpu")  # probes with one second of noise
    wavs = [torch.randn(60_000), torch.randn(20_000)]
    with torch.no_grad():
        features = featurizer(wavs, expert(wavs))
    assert featurizer.output_dim == 512
    assert [len(f) for f in features] == [4, 1]  # round(60,000 / 16,384), round(20,000 / 16,384)


def test_checkpoint_round_trip(checkpoint):
    path, states = checkpoint
    for name in (hub.pemr, hub.pemr_local):
        expert = name(ckpt=str(path), model_config=None, refresh=False)
        assert not expert.model.training
        for key, weights in states["Upstream"].items():
            assert torch.equal(expert.model.state_dict()[key], weights)


def test_url_goes_to_the_toolkits_downloader(checkpoint, monkeypatch):
    path, states = checkpoint
    asked = []
    monkeypatch.setattr(
        "s3prl.upstream.pemr.hubconf._urls_to_filepaths",
        lambda url, refresh: asked.append((url, refresh)) or str(path),
    )
    hub.pemr_url(ckpt="https://example.org/pemr.ckpt", refresh=True)
    assert asked == [("https://example.org/pemr.ckpt", True)]


def test_random_weights_are_the_same_every_time_and_leave_the_global_state():
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    one = hub.pemr_random()
    assert torch.equal(torch.rand(3), expected)
    two = hub.pemr_random()
    weights = lambda e: e.model.encoder.blocks[0].conv.weight  # noqa: E731
    assert torch.equal(weights(one), weights(two))
    two.reset_parameters(seed=1)
    three = hub.pemr_random()
    three.reset_parameters(seed=1)
    assert not torch.equal(weights(one), weights(two))
    assert torch.equal(weights(three), weights(two))


def test_random_takes_a_model_config(tmp_path):
    (tmp_path / "model.yaml").write_text(yaml.safe_dump({"method": "pemr", "model": NARROW}))
    assert hub.pemr_random(model_config=str(tmp_path / "model.yaml")).model.encoder.channels == 4


def test_fine_tuning_reaches_the_encoder():
    expert = hub.pemr_random().train()
    expert([torch.randn(16_384), torch.randn(16_384)])["last_hidden_state"].square().sum().backward()
    assert expert.model.encoder.blocks[0].conv.weight.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("wavs", "message"),
    [
        ([], "no waveforms"),
        ([torch.zeros(100), torch.zeros(0)], r"waveform 1 of the batch has shape \(0,\)"),
        ([torch.zeros(2, 100)], r"waveform 0 of the batch has shape \(2, 100\)"),
        ([torch.zeros(100), torch.full((50,), float("nan"))], "waveform 1 of the batch holds NaN"),
        ([torch.full((50,), float("inf"))], "waveform 0 of the batch holds NaN or infinite"),
    ],
)
def test_bad_waveforms_end_in_one_line(wavs, message):
    with pytest.raises(ValueError, match=message) as error:
        hub.pemr_random()(wavs)
    assert "\n" not in str(error.value)


def test_digital_silence_gives_finite_features():
    with torch.no_grad():
        assert torch.isfinite(hub.pemr_random()([torch.zeros(40_000)])["last_hidden_state"]).all()


def test_checkpoints_that_do_not_serve_are_refused_in_one_line(tmp_path, checkpoint):
    path, states = checkpoint
    torch.save(states | {"Method": "simclr"}, tmp_path / "other.ckpt")
    torch.save({"Optimizer": {}}, tmp_path / "foreign.ckpt")
    torch.save(states | {"Upstream": {}}, tmp_path / "empty.ckpt")
    torch.save(states | {"Upstream_Config": {"model": {"depth": 3}}}, tmp_path / "settings.ckpt")
    (tmp_path / "cut.ckpt").write_bytes(path.read_bytes()[:1000])
    (tmp_path / "text.ckpt").write_text("hello")
    cases = {
        "missing.ckpt": "is not a file",
        "other.ckpt": "is of -u simclr, not of -u pemr",
        "foreign.ckpt": "was not written by run_pretrain.py: no Method, Upstream, Upstream_Config",
        "empty.ckpt": "more than any size of its weights",
        "settings.ckpt": "Key 'depth' not in 'PemrConfig'",
        "cut.ckpt": "is damaged or cut off",
        "text.ckpt": "cannot be read",
    }
    for name, message in cases.items():
        with pytest.raises(ValueError, match=message) as error:
            hub.pemr(ckpt=str(tmp_path / name))
        assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="-u pemr_local needs a checkpoint: pass -k CKPT"):
        hub.pemr_local()


def test_a_checkpoint_cannot_execute_anything(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("executed").touch, ())

    torch.save({"Method": Evil()}, tmp_path / "evil.ckpt")
    with pytest.raises(ValueError, match="cannot be read"):
        hub.pemr(ckpt=str(tmp_path / "evil.ckpt"))
    assert not (tmp_path / "executed").exists()
