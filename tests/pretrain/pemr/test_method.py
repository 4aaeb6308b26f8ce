"""One step of PEMR: which view is masked, which statistics move, what the parts are."""

import copy

import pytest
import torch
from s3prl.pretrain.crops.corruption import Corruption
from s3prl.pretrain.crops.randomness import crop_generator
from s3prl.pretrain.pemr.corruption import CorruptionConfig
from s3prl.pretrain.pemr.method import PemrMethod
from s3prl.pretrain.pemr.objective import cross_correlation, negative_loss, positive_loss, prediction_loss

CLIPS, SAMPLES, FRAMES = 6, 8_000, 63


@pytest.fixture
def method(model_settings):
    torch.manual_seed(0)
    return PemrMethod(model_settings, "test").train()


@pytest.fixture
def wavs():
    return torch.randn(2 * CLIPS, SAMPLES, generator=torch.Generator().manual_seed(1)) * 0.1


@pytest.fixture
def corruption():
    generators = [crop_generator(0, 0, i, 0) for i in range(2 * CLIPS)]
    return CorruptionConfig().draw(generators, FRAMES)


def test_loss_equals_its_parts_put_together_by_hand(method, wavs, corruption):
    loss, logged = copy.deepcopy(method)(wavs, corruption)
    model = method.model
    frames = model.frontend(wavs)
    frames_a, frames_b = frames[:CLIPS], frames[CLIPS:]
    positive, negative = model.masks(frames_a, frames_b)
    assert (negative.sum(dim=1) == 6).all()  # floor(0.1 * 63)

    predicted = model.predict(corruption.apply(frames))
    expected_prediction = sum(
        prediction_loss(frames[half], predicted[half], corruption.masked[half])
        for half in (slice(CLIPS), slice(CLIPS, None))
    )
    z_a, z_pos, z_neg = (
        model.projector(model.encoder(view).mean(dim=1))
        for view in (frames_a, frames_b * positive[..., None], frames_b * negative[..., None])
    )
    expected_positive = positive_loss(cross_correlation(z_a, z_pos), 0.005)
    expected_negative = negative_loss(cross_correlation(z_a, z_neg), 0.005)
    torch.testing.assert_close(logged["prediction_loss"], expected_prediction.detach())
    torch.testing.assert_close(logged["positive_loss"], expected_positive.detach())
    torch.testing.assert_close(logged["negative_loss"], expected_negative.detach())
    torch.testing.assert_close(loss, expected_prediction + expected_positive + expected_negative)
    assert loss.requires_grad
    assert not any(value.requires_grad for value in logged.values())


def test_running_statistics_come_from_the_first_and_the_positive_view_alone(method, wavs, corruption):
    reference = copy.deepcopy(method.model)
    frames_a, frames_b = reference.frontend(wavs).chunk(2)
    positive, _ = reference.masks(frames_a, frames_b)
    reference.clip_vectors(frames_a)
    reference.clip_vectors(frames_b * positive[..., None])
    method(wavs, corruption)
    for name, value in reference.encoder.state_dict().items():
        torch.testing.assert_close(method.model.encoder.state_dict()[name], value, msg=name)


def test_the_losses_reach_two_disjoint_halves(method, wavs, corruption):
    def gradients(of):
        part = copy.deepcopy(method)
        part(wavs, of)[0].backward()
        return {
            name: torch.stack([p.grad.norm() if p.grad is not None else torch.zeros(()) for p in parameters])
            for name, parameters in part.parts().items()
        }

    nothing_to_predict = Corruption(torch.zeros_like(corruption.masked), corruption.source)
    whole, contrast = gradients(corruption), gradients(nothing_to_predict)
    assert contrast["transformer"].max() == 0
    assert whole["transformer"].max() > 1
    torch.testing.assert_close(contrast["encoder"], whole["encoder"])  # L_pred adds nothing there
    assert whole["encoder"].max() > 1


def test_no_masked_frame_means_no_negative_loss(model_settings, wavs, corruption):
    model_settings["model"]["mask_ratio"] = 0.01  # floor(0.63) = 0
    method = PemrMethod(model_settings, "test").train()
    loss, logged = method(wavs, corruption)
    assert logged["negative_loss"].item() == 0
    assert torch.isfinite(loss)
    loss.backward()


def test_prediction_is_of_both_branches(method, wavs, corruption):
    only_first = Corruption(corruption.masked.clone(), corruption.source)
    only_first.masked[CLIPS:] = False
    whole = method(wavs, corruption)[1]["prediction_loss"]
    first = method(wavs, only_first)[1]["prediction_loss"]
    assert 0.2 * whole < first < 0.8 * whole


def test_parts_cover_every_parameter_once(method):
    listed = [id(p) for parameters in method.parts().values() for p in parameters]
    assert sorted(listed) == sorted(id(p) for p in method.parameters())


def test_a_small_batch_is_learned(method, wavs, corruption):
    optimiser = torch.optim.Adam(method.parameters(), lr=3e-3)
    first = None
    for _ in range(60):
        loss, logged = method(wavs, corruption)
        first = first or logged
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert logged["positive_loss"] < 0.3 * first["positive_loss"]
    assert logged["prediction_loss"] < 0.8 * first["prediction_loss"]


def test_losses_under_autocast_are_float32(method, wavs, corruption):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, logged = method(wavs, corruption)
    assert loss.dtype == torch.float32
    exact, _ = method(wavs, corruption)
    assert loss.item() == pytest.approx(exact.item(), rel=0.05)
    assert all(value.dtype == torch.float32 for value in logged.values())


def test_lambda_of_the_negative_view_is_its_own(model_settings, wavs, corruption):
    losses = {}
    for name, objective in {"paper": {}, "tenfold": {"negative_trade_off": 0.05}}.items():
        torch.manual_seed(0)
        method = PemrMethod(model_settings | {"objective": objective}, "test").train()
        losses[name] = method(wavs, corruption)[1]
    for part in ("prediction_loss", "positive_loss"):
        assert losses["tenfold"][part] == losses["paper"][part]
    for part in ("negative_loss", "negative_gradient_ratio"):
        assert losses["tenfold"][part].item() == pytest.approx(10 * losses["paper"][part].item(), rel=1e-4)


def test_the_last_state_of_cls_meets_a_loss_with_the_pair_alone(model_settings, wavs, corruption):
    reached = {}
    for cls in ("none", "pair"):
        torch.manual_seed(0)
        method = PemrMethod(model_settings | {"objective": {"cls": cls}}, "test").train()
        kept = []
        method.model.transformer.register_forward_hook(
            lambda module, inputs, states, kept=kept: (states.retain_grad(), kept.append(states))[0]
        )
        loss, logged = method(wavs, corruption)
        assert ("cls_loss" in logged) == (cls == "pair")
        loss.backward()
        [states] = kept  # (2 B, L + 1, D)
        assert states.grad[:, 1:].abs().sum() > 0
        reached[cls] = states.grad[:, 0].abs().sum().item()
    assert reached["none"] == 0
    assert reached["pair"] > 0
    with pytest.raises(ValueError, match="cls 'both' is not one of none, pair"):
        PemrMethod(model_settings | {"objective": {"cls": "both"}}, "test")


def test_the_last_batchs_vectors_are_kept_for_their_rank(method, wavs, corruption):
    method(wavs, corruption)
    vectors = method.model.clip_vectors(method.model.frontend(wavs[:CLIPS]))
    torch.testing.assert_close(method.monitored["representations"], vectors)
    torch.testing.assert_close(method.monitored["projections"], method.model.projector(vectors))
    assert not any(kept.requires_grad for kept in method.monitored.values())


def test_unknown_objective_setting_is_named(model_settings):
    with pytest.raises(ValueError, match="my.yaml, objective: Key 'lambda' not in 'ObjectiveConfig'"):
        PemrMethod(model_settings | {"objective": {"lambda": 0.1}}, "my.yaml")
