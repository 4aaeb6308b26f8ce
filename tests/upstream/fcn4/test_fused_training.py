"""The first block in training, without its map, equals its plain layers in all that comes out."""

import copy

import pytest
import torch
import torch.nn.functional as F
from s3prl.upstream.fcn4 import encoder as encoder_module
from s3prl.upstream.fcn4 import fused_training_cpu
from s3prl.upstream.fcn4.encoder import FCN4, Block, frozen_running_statistics
from s3prl.upstream.fcn4.fused_training import conv_norm_pool_relu, patch_moments

POOL = (2, 4)


def block(dtype=torch.float64, channels=5):
    """With scales of either sign, and one that is 0, where the shift alone is left."""
    torch.manual_seed(1)
    made = Block(1, channels, POOL).to(dtype)
    with torch.no_grad():
        made.norm.weight.copy_(torch.tensor([1.5, -0.7, 0.3, 0.0, -2.0])[:channels])
        made.norm.bias.normal_()
        made.norm.bias[3] = 0.5
    return made


def plain(x, conv, norm, lengths=None):
    maps = norm(conv(x))
    if lengths is not None:
        maps = maps * (torch.arange(x.shape[-1]) < lengths[:, None])[:, None, None, :]
    return F.relu(F.max_pool2d(maps, POOL, ceil_mode=True))


def state(made):
    return {name: value.grad for name, value in made.named_parameters()} | dict(made.named_buffers())


@pytest.mark.parametrize(
    ("frames", "lengths"), [(1, None), (13, None), (400, None), (14, [14, 9, 1]), (4, [3]), (8, [8, 0])]
)
@pytest.mark.parametrize("rows", [7, 2_048])
def test_equals_the_layers_in_outputs_gradients_and_statistics(monkeypatch, frames, lengths, rows):
    monkeypatch.setattr(fused_training_cpu, "ROWS", rows)
    generator = torch.Generator().manual_seed(frames)
    x = torch.randn(len(lengths or [0]), 1, 16, frames, generator=generator, dtype=torch.float64) + 0.3
    lengths = None if lengths is None else torch.tensor(lengths)
    layers = block()
    fused = copy.deepcopy(layers)
    expected = plain(x, layers.conv, layers.norm, lengths)
    found = conv_norm_pool_relu(x, fused.conv, fused.norm, POOL, lengths)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    gradient = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    expected.backward(gradient)
    found.backward(gradient)
    found_state = state(fused)
    assert found_state["norm.weight"].count_nonzero() > 2
    for name, value in state(layers).items():
        torch.testing.assert_close(found_state[name], value, rtol=1e-7, atol=1e-7, msg=name)


def test_of_equal_products_the_first_place_of_the_window_wins():
    """As in max_pool2d: frames that a mask has set to zero tie, and their patches are the same."""
    x = torch.zeros(2, 1, 16, 24, dtype=torch.float64)
    x[:, :, :, 9:12] = 1.0
    layers = block()
    fused = copy.deepcopy(layers)
    plain(x, layers.conv, layers.norm).sum().backward()
    conv_norm_pool_relu(x, fused.conv, fused.norm, POOL, None).sum().backward()
    for name, value in state(layers).items():
        torch.testing.assert_close(state(fused)[name], value, rtol=1e-7, atol=1e-7, msg=name)


def test_the_moments_are_those_of_all_patches():
    x = torch.randn(3, 1, 8, 11, dtype=torch.float64)
    mean, covariance, count = patch_moments(x)
    patches = F.unfold(x, 3, padding=1).transpose(1, 2).flatten(0, 1)
    assert count == len(patches)
    torch.testing.assert_close(mean, patches.mean(dim=0))
    torch.testing.assert_close(covariance, patches.T.cov(correction=0))


def test_a_constant_input_has_no_variance_and_no_gradient_that_is_not_finite():
    layers = block(torch.float32)
    conv_norm_pool_relu(torch.zeros(2, 1, 16, 12), layers.conv, layers.norm, POOL, None).sum().backward()
    assert all(value.isfinite().all() for value in state(layers).values())


@pytest.fixture
def taken(monkeypatch):
    calls = []

    def noted(*args):
        calls.append(args)
        return conv_norm_pool_relu(*args)

    monkeypatch.setattr(encoder_module, "conv_norm_pool_relu", noted)
    return calls


def test_the_encoder_takes_it_in_training(taken, monkeypatch):
    torch.manual_seed(0)
    fused = FCN4((4, 4, 4, 4)).double()
    layers = copy.deepcopy(fused)
    frames = torch.randn(3, 130, 32, dtype=torch.float64)
    found = fused(frames)
    assert len(taken) == 1
    monkeypatch.setattr(Block, "_fits_fused", lambda self, x: False)
    expected = layers(frames)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    for value in (found, expected):
        value.square().sum().backward()
    for name, value in state(layers).items():
        torch.testing.assert_close(state(fused)[name], value, rtol=1e-7, atol=1e-7, msg=name)
    assert len(taken) == 1


def test_not_where_the_input_learns_nor_with_a_synchronised_norm(taken):
    encoder = FCN4((4, 4, 4, 4))
    encoder(torch.randn(2, 130, 32, requires_grad=True))
    torch.nn.SyncBatchNorm.convert_sync_batchnorm(encoder)
    assert not encoder.blocks[0]._fits_fused(torch.randn(2, 1, 32, 130))
    encoder.eval()(torch.randn(2, 130, 32))
    assert not taken


def test_frozen_statistics_stay(taken):
    encoder = FCN4((4, 4, 4, 4))
    before = {name: value.clone() for name, value in encoder.named_buffers()}
    with frozen_running_statistics(encoder):
        encoder(torch.randn(2, 130, 32))
    assert len(taken) == 1
    for name, value in encoder.named_buffers():
        assert torch.equal(value, before[name]), name


def test_under_autocast_it_stays_in_float32(taken):
    encoder = FCN4((4, 4, 4, 4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = encoder(torch.randn(2, 130, 32))
    assert len(taken) == 1
    assert encoder.blocks[0](torch.randn(2, 1, 32, 130)).dtype == torch.float32
    out.float().sum().backward()
    assert encoder.blocks[0].conv.weight.grad.dtype == torch.float32


def test_a_norm_that_was_set_to_evaluation_keeps_its_statistics(taken):
    encoder = FCN4((4, 4, 4, 4))
    encoder.blocks[0].norm.eval()
    encoder(torch.randn(2, 130, 32))
    assert not taken


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
def test_running_statistics_with_any_momentum(momentum):
    layers = block()
    layers.norm.momentum = momentum
    fused = copy.deepcopy(layers)
    for seed in range(3):
        x = torch.randn(2, 1, 16, 9, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        plain(x, layers.conv, layers.norm)
        conv_norm_pool_relu(x, fused.conv, fused.norm, POOL, None)
    for (name, expected), (_, found) in zip(layers.named_buffers(), fused.named_buffers(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9, msg=name)
