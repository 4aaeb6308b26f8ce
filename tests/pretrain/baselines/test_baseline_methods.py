"""One step of each baseline: what learns, what follows, what is refused."""

import copy
from dataclasses import asdict, fields
from pathlib import Path

import pytest
import torch
import yaml
from baseline_methods import BASELINES, CLIPS, ON_LOG_MEL, batch, build, narrow
from s3prl.pretrain.baselines.cola import bilinear_loss
from s3prl.pretrain.pemr.objective import cross_correlation, negative_loss, positive_loss
from s3prl.upstream.fcn4.encoder import FCN4
from torch import nn

from s3prl_pemr.methods import default_settings, objective_class


def train(method, steps, data, rate=3e-3):
    """First and last of what is logged over `steps` on one batch."""
    optimiser = torch.optim.Adam([p for p in method.parameters() if p.requires_grad], lr=rate)
    first = None
    for _ in range(steps):
        loss, logged = method(*data)
        first = first or logged
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        method.after_step(steps)
    return first, logged


@pytest.mark.parametrize("name", ON_LOG_MEL)
def test_a_small_batch_is_learned(name):
    method = build(name)
    if name in ("moco", "moco_v2"):  # its loss rises while the queue fills with keys of this one batch
        first, last = train(method, 60, batch(method))
        assert 1 - last["positive_similarity"] < 0.7 * (1 - first["positive_similarity"])
    else:
        first, last = train(method, 25, batch(method), rate=1e-2)
        assert last["loss"] < 0.75 * first["loss"]
    assert last["embedding_std"] > 0.01


def test_clmr_learns_a_small_batch():
    torch.manual_seed(0)
    method = objective_class("clmr")(narrow("clmr"), "test").train()
    first, last = train(method, 4, batch(method, clips=2, samples=59_049), rate=1e-3)
    assert last["loss"] < 0.9 * first["loss"]
    assert last["embedding_std"] > 0.005


def test_clmr_says_where_a_crop_is_not_what_sample_cnn_sees(caplog):
    method = objective_class("clmr")(narrow("clmr"), "test")
    method.fit_data(100, 8, crop_samples=59_049)
    assert not caplog.text
    method.fit_data(100, 8, crop_samples=43_200)
    assert "crop_samples 43200: SampleCNN sees 59049 at once" in caplog.text


@pytest.mark.parametrize("name", BASELINES)
def test_the_shipped_yaml_names_every_setting_and_the_paper_s_widths(name):
    shipped = yaml.safe_load(default_settings(name)[1].read_text())
    assert shipped["method"] == name
    method = objective_class(name)(shipped, name)
    if name == "pemr_pos":
        assert asdict(method.model.config)["mask_ratio"] == shipped["model"]["mask_ratio"]
    else:
        assert set(shipped["objective"]) == {field.name for field in fields(method.objective)}
        assert asdict(method.objective) == shipped["objective"]
        assert [layer.weight.shape for layer in method.projector if isinstance(layer, nn.Linear)] == [
            (512, 512), (256, 512)
        ]  # fmt: skip
    if name != "clmr":
        assert isinstance(method.model.encoder, FCN4)
        assert sum(p.numel() for p in method.model.encoder.parameters()) == 370_560
    else:
        assert sum(p.numel() for p in method.model.encoder.parameters()) == 2_368_512
    parts = [id(p) for part in method.parts().values() for p in part]
    assert sorted(parts) == sorted(id(p) for p in method.parameters() if p.requires_grad)


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("barlow_twins", [512, 8192, 8192, 8192]),
        ("pemr_random_mask", [512, 512, 256]),
        ("simclr", [512, 512, 128]),
        ("clmr", [512, 512, 64]),
        ("moco", [512, 128]),
        ("moco_v2", [512, 512, 128]),
        ("byol", [512, 4096, 256]),
        ("cola", [512, 512]),
    ],
)
def test_original_heads(name, widths):
    with torch.device("meta"):  # Barlow Twins' has 138 million weights
        head = objective_class(name).original_head(None, 512)
    layers = [m for m in head.modules() if isinstance(m, nn.Linear)]
    assert [layers[0].in_features, *(layer.out_features for layer in layers)] == widths
    assert all((layer.bias is None) == (name in ("barlow_twins", "clmr")) for layer in layers)


def test_original_heads_train_too():
    for name in ("simclr", "moco", "byol", "cola"):
        method = build(name, head="original")
        loss, _ = method(*batch(method))
        loss.backward()
        assert torch.isfinite(loss)


def test_barlow_twins_is_eq_8_without_a_mask():
    method = build("barlow_twins")
    wavs, _ = data = batch(method)
    loss, _ = copy.deepcopy(method)(*data)
    z_a, z_b = (
        method.projector(method.model.encoder(method.model.frontend(crops)).mean(dim=1))
        for crops in (wavs[:CLIPS], wavs[CLIPS:])
    )
    torch.testing.assert_close(loss, positive_loss(cross_correlation(z_a, z_b), 0.005))


def test_cola_normalises_anchors_and_positives_with_the_statistics_of_both():
    method = build("cola")
    reference = copy.deepcopy(method)
    wavs, _ = batch(method)
    wavs[CLIPS:] *= 5  # the second crops' statistics are others
    loss, _ = method(wavs, None)
    frames = reference.model.frontend(wavs)
    convolved = reference.model.encoder.blocks[0].conv(frames.transpose(1, 2)[:, None])
    norm = method.model.encoder.blocks[0].norm
    torch.testing.assert_close(norm.running_mean, 0.1 * convolved.mean(dim=(0, 2, 3)))
    assert norm.num_batches_tracked == 1
    _, z = reference.represent(frames)
    torch.testing.assert_close(loss, bilinear_loss(z[:CLIPS], z[CLIPS:], reference.weight))
    apart = [reference.represent(view)[1] for view in frames.chunk(2)]
    assert (bilinear_loss(*apart, reference.weight) - loss).abs() > 1e-3


def test_pemr_pos_is_pemr_without_the_negative_view():
    method = build("pemr_pos")
    pemr = objective_class("pemr")(narrow("pemr"), "test").train()
    pemr.load_state_dict(method.state_dict())
    wavs, corruption = batch(method)
    loss, logged = method(wavs, corruption)
    _, of_pemr = pemr(wavs, corruption)
    torch.testing.assert_close(logged["positive_loss"], of_pemr["positive_loss"])
    torch.testing.assert_close(loss.detach(), of_pemr["prediction_loss"] + of_pemr["positive_loss"])
    assert of_pemr["negative_loss"] > 0


def test_random_mask_masks_the_second_crops_as_drawn():
    method = build("pemr_random_mask")
    wavs, corruption = batch(method)
    reference = copy.deepcopy(method)
    _, logged = method(wavs, corruption)
    frames_a, frames_b = reference.model.frontend(wavs).chunk(2)
    negative = corruption.masked[CLIPS:, :, None].float()
    assert (negative.sum(dim=1) == 6).all()  # floor(0.1 * 63)
    z_a, z_pos = (reference.represent(view)[1] for view in (frames_a, frames_b * (1 - negative)))
    statistics = copy.deepcopy(reference.model.encoder.state_dict())
    _, z_neg = reference.represent(frames_b * negative)
    expected = (
        positive_loss(cross_correlation(z_a, z_pos), 0.005),
        negative_loss(cross_correlation(z_a, z_neg), 0.005),
    )
    torch.testing.assert_close(logged["positive_loss"], expected[0].detach())
    torch.testing.assert_close(logged["negative_loss"], expected[1].detach())
    for name, value in statistics.items():  # nothing of the negative view
        torch.testing.assert_close(method.model.encoder.state_dict()[name], value, msg=name)


@pytest.mark.parametrize("name", ["simclr", "moco", "byol", "cola", "barlow_twins"])
def test_losses_under_autocast_are_float32(name):
    method = build(name)
    data = batch(method)
    exact, _ = copy.deepcopy(method)(*data)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, logged = method(*data)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=0.1)
    assert all(value.dtype == torch.float32 for value in logged.values())


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("simclr", {"objective": {"temprature": 1}}, "my.yaml, objective: Key 'temprature' not in"),
        ("simclr", {"objective": {"temperature": 0}}, "temperature must be above 0"),
        ("byol", {"objective": {"head": "own"}}, "head 'own' is not one of shared, original"),
        ("byol", {"objective": {"momentum": 1.1}}, "momentum must be in"),
        ("moco", {"objective": {"queue_size": 0}}, "queue_size and key_groups must be at least 1"),
        ("cola", {"corruption": {"ratio": 0.15}}, "-u cola corrupts no frames, leave `corruption` out"),
        ("pemr_random_mask", {"objective": {"mask_ratio": 1.0}}, "mask ratio must be in"),
        ("barlow_twins", {"model": {"transformer": {}}}, "Key 'transformer' not in 'LogMelFCNConfig'"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_named(name, settings, message):
    with pytest.raises(ValueError, match=message) as error:
        objective_class(name)({"method": name} | settings, "my.yaml")
    assert "\n" not in str(error.value)


def test_every_yaml_of_the_folders_is_of_a_method():
    folders = [Path(default_settings(name)[1]).parent for name in ("simclr", "pemr_pos")]
    yamls = [path.stem for folder in folders for path in folder.glob("*.yaml")]
    assert sorted(yamls) == sorted([*BASELINES, "clmr_runner"])
