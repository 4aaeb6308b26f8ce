"""The taggers in s3prl's hands: counts, frames, batches, seeds, learning."""

import argparse
import copy
import functools

import pytest
import torch
import torch.nn.functional as F
from s3prl import hub
from s3prl.upstream.interfaces import Featurizer
from tagger_checks import parameter_count, trained_looking

# (samples in a frame, values, parameters, of these with an output layer of 50 tags)
TAGGERS = {
    "fcn": (16_384, 512, 370_560, 396_210),
    "sample_cnn": (59_049, 512, 2_368_512, 2_394_162),
    "musicnn": (187 * 256, 200, 777_109, 787_159),
    "timbre_cnn": (187 * 256, 100, 180_806, 185_856),
    "cnn_1d": (1_720 * 256, 100, 377_126, 382_176),
}
# steps of Adam after which two clips are told apart
STEPS = {"fcn": 8, "sample_cnn": 5, "musicnn": 2, "timbre_cnn": 7, "cnn_1d": 6}
names = pytest.mark.parametrize("name", TAGGERS)
made = functools.cache(lambda name: getattr(hub, name)())  # its batch norm is measured, which takes a second


def tagger(name):
    """A new one, with the weights it begins with."""
    return copy.deepcopy(made(name))


@names
def test_parameter_count(name):
    _, dim, parameters, with_output_layer = TAGGERS[name]
    assert parameter_count(tagger(name)) == parameters
    assert parameters + 50 * dim + 50 == with_output_layer


@names
def test_contract(name):
    rate, dim, *_ = TAGGERS[name]
    expert = tagger(name)
    assert expert.get_downsample_rates("hidden_states") == rate
    for samples, frames in ((1, 1), (rate, 1), (rate + 1, 2)):
        with torch.no_grad():
            out = expert([torch.randn(samples)])
        assert [h.shape for h in out["hidden_states"]] == [(1, frames, dim)]
        assert out["last_hidden_state"] is out["hidden_states"][-1]


@names
def test_frames_of_an_item_are_its_own_and_those_that_the_featurizer_counts(name):
    rate, dim, *_ = TAGGERS[name]
    expert = tagger(name)
    trained_looking(expert)
    featurizer = Featurizer(expert, upstream_device="cpu")  # probes with one second of noise
    wavs = [0.1 * torch.randn(round(rate * patches)) for patches in (0.3, 1.6, 0.7)]
    with torch.no_grad():
        together = expert(wavs)
        for item, wav in enumerate(wavs):
            alone = expert([wav])["last_hidden_state"][0]
            frames = together["last_hidden_state"][item]
            torch.testing.assert_close(frames[: len(alone)], alone, rtol=1e-4, atol=1e-5)
            assert frames[len(alone) :].abs().sum() == 0
        assert [len(frames) for frames in featurizer(wavs, together)] == [0, 2, 1]
    assert featurizer.output_dim == dim


@pytest.mark.parametrize("name", [name for name in TAGGERS if name != "fcn"])
def test_patches_embedded_a_few_at_a_time_are_the_same(name):
    model = tagger(name).model
    wavs = 0.1 * torch.randn(1, 2 * model.samples_per_frame)
    with torch.no_grad():
        all_at_once = model(wavs)
        model.patches_at_once = 1
        assert (model(wavs) - all_at_once).norm() < 1e-5 * all_at_once.norm()


@names
def test_random_weights_are_the_same_every_time_and_those_of_a_seed(name):
    def weights(seed=None):
        expert = getattr(hub, name)() if seed is None else tagger(name)
        if seed is not None:
            expert.reset_parameters(seed)
        return torch.cat([p.flatten() for p in expert.parameters() if p.dim() > 1])

    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    frozen, one = weights(), weights(1)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(weights(), frozen)
    assert torch.equal(weights(1), one)
    assert (one != frozen).float().mean() > 0.99


@names
def test_a_small_batch_is_learned_by_heart(name):
    rate, dim, *_ = TAGGERS[name]
    expert = tagger(name).train()
    for module in expert.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    generator, time = torch.Generator().manual_seed(0), torch.arange(rate) / 16_000
    tones = [0.1 * torch.sin(2 * torch.pi * pitch * time) for pitch in (300, 2_000)]
    wavs = [tone + 0.02 * torch.randn(rate, generator=generator) for tone in tones]
    targets = torch.eye(2)
    torch.manual_seed(0)
    head = torch.nn.Linear(dim, 2)
    optimizer = torch.optim.Adam([*expert.parameters(), *head.parameters()], lr=1e-3)
    losses = []
    for _ in range(STEPS[name]):
        logits = head(expert(wavs)["last_hidden_state"].mean(dim=1))
        loss = F.binary_cross_entropy_with_logits(logits, targets)
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in expert.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_a_trained_tagger_is_read_from_its_run(tmp_path):
    trained = hub.timbre_cnn()
    trained.reset_parameters(3)
    states = {"Args": argparse.Namespace(upstream="timbre_cnn"), "Upstream": trained.state_dict()}
    torch.save(states, tmp_path / "best.ckpt")
    torch.save(states | {"Upstream": {}}, tmp_path / "empty.ckpt")
    torch.save({"Args": states["Args"]}, tmp_path / "frozen.ckpt")
    expert = hub.timbre_cnn(ckpt=str(tmp_path / "best.ckpt"), model_config=None)
    assert not expert.training
    assert not hasattr(expert, "reset_parameters")  # -f trains it on
    for key, weights in trained.state_dict().items():
        assert torch.equal(expert.state_dict()[key], weights)
    cases = {
        (hub.musicnn, "best.ckpt"): "is of -u timbre_cnn, not of -u musicnn",
        (hub.timbre_cnn, "empty.ckpt"): "Missing key",
        (hub.timbre_cnn, "frozen.ckpt"): "was not written by run_downstream.py -u timbre_cnn -f: no Upstream",
        (hub.timbre_cnn, "missing.ckpt"): "is not a file; pass one that run_downstream.py -u timbre_cnn -f",
    }
    for (entry, file), message in cases.items():
        with pytest.raises(ValueError, match=message) as error:
            entry(ckpt=str(tmp_path / file))
        assert "\n" not in str(error.value)


@names
def test_what_cannot_be_is_refused_in_one_line(name):
    entry = getattr(hub, name)
    with pytest.raises(ValueError, match=f"-g is not for -u {name}"):
        entry(model_config="some.yaml")
    with pytest.raises(ValueError, match="waveform 1 of the batch holds NaN"):
        tagger(name)([torch.zeros(100), torch.full((50,), float("nan"))])


@names
def test_digital_silence_gives_finite_features(name):
    with torch.no_grad():
        assert torch.isfinite(tagger(name)([torch.zeros(1_000)])["last_hidden_state"]).all()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 0.05), (torch.bfloat16, 0.2)])
@names
def test_half_precision_is_close_to_float32(name, dtype, tolerance):
    expert = tagger(name)
    trained_looking(expert)
    reduced = copy.deepcopy(expert).to(dtype)
    wavs = [0.1 * torch.randn(20_000, generator=torch.Generator().manual_seed(0))]
    with torch.no_grad():
        expected, found = (some(wavs)["last_hidden_state"] for some in (expert, reduced))
    assert found.dtype == dtype
    assert (found.float() - expected).norm() <= tolerance * expected.norm()
