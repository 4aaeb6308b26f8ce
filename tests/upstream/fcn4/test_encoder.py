"""FCN-4: its count, its frames, padding that does not leak, statistics that stay."""

import pytest
import torch
import torch.nn.functional as F
from s3prl.upstream.fcn4.encoder import FCN4, frozen_running_statistics
from s3prl.upstream.fcn4.projector import Projector


def trained_looking(encoder):
    """Batch norms with other than their initial values, as after training."""
    torch.manual_seed(1)
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 2)
            module.bias.data.normal_()
    return encoder.eval()


def test_parameter_count():
    # 3x3 convolutions 640 + 73,856 + 147,584 + 147,584, batch norm 2 * (64 + 3 * 128) = 896
    assert sum(p.numel() for p in FCN4().parameters()) == 370_560


@pytest.mark.parametrize(("frames", "expected"), [(1, 1), (128, 1), (129, 2), (338, 3)])
def test_output_shape(frames, expected):
    encoder = FCN4().eval()
    assert encoder.output_dim(128) == 512
    with torch.no_grad():
        assert encoder(torch.randn(2, frames, 128)).shape == (2, expected, 512)


def test_equals_plain_torch_layers():
    encoder = trained_looking(FCN4((3, 4, 5, 6))).double()
    frames = torch.randn(2, 200, 128, dtype=torch.float64)
    x = frames.transpose(1, 2).unsqueeze(1)
    for block, pool in zip(encoder.blocks, [(2, 4), (2, 4), (2, 4), (4, 2)], strict=True):
        x = F.conv2d(x, block.conv.weight, block.conv.bias, padding=1)
        norm = block.norm
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        x = (x - norm.running_mean[:, None, None]) * scale[:, None, None] + norm.bias[:, None, None]
        x = F.max_pool2d(x.clamp(min=0), pool, ceil_mode=True)
    expected = torch.stack([x[:, :, :, t].reshape(2, -1) for t in range(x.shape[-1])], dim=1)
    torch.testing.assert_close(encoder(frames), expected, rtol=1e-9, atol=1e-12)
    with torch.no_grad():  # batch norm folded into the convolution
        torch.testing.assert_close(encoder(frames), expected, rtol=1e-9, atol=1e-12)


def test_gradients_in_training_equal_those_of_relu_before_the_maximum():
    torch.manual_seed(0)
    encoder = FCN4((3, 4, 5, 6)).double().train()
    frames = torch.randn(3, 150, 128, dtype=torch.float64)
    parameters = list(encoder.parameters())
    gradients = torch.autograd.grad(encoder(frames).square().sum(), parameters)
    x = frames.transpose(1, 2).unsqueeze(1)
    for block, pool in zip(encoder.blocks, [(2, 4), (2, 4), (2, 4), (4, 2)], strict=True):
        x = F.conv2d(x, block.conv.weight, block.conv.bias, padding=1)
        x = F.batch_norm(x, None, None, block.norm.weight, block.norm.bias, training=True)
        x = F.max_pool2d(F.relu(x), pool, ceil_mode=True)
    for gradient, expected in zip(gradients, torch.autograd.grad(x.square().sum(), parameters), strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-7, atol=1e-9)


def test_padding_does_not_leak_into_a_shorter_item():
    encoder = trained_looking(FCN4())
    short, long = torch.randn(1, 70, 128), torch.randn(1, 700, 128)
    batch = torch.cat([F.pad(short, (0, 0, 0, 630)), long])
    with torch.no_grad():
        together = encoder(batch, torch.tensor([70, 700]))
        torch.testing.assert_close(together[:1, :1], encoder(short), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together[1:], encoder(long), rtol=1e-4, atol=1e-5)
        assert together[0, 1:].abs().max() == 0
        # the test would notice: without lengths the item's frame is another
        assert (encoder(batch)[0, 0] - encoder(short)[0, 0]).abs().max() > 0.1


def test_frozen_running_statistics_normalises_by_the_batch_and_keeps_evaluations():
    encoder = FCN4((2, 2, 2, 2)).train()
    frames = torch.randn(4, 128, 128) * 5
    before = {k: v.clone() for k, v in encoder.state_dict().items()}
    with frozen_running_statistics(encoder):
        frozen = encoder(frames)
    after = encoder.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert torch.equal(frozen, encoder(frames))  # the same batch statistics ...
    assert not torch.equal(
        before["blocks.0.norm.running_mean"], encoder.state_dict()["blocks.0.norm.running_mean"]
    )


def test_projector_has_one_hidden_layer():
    assert [tuple(p.shape) for p in Projector(512, 512, 256).parameters()] == [
        (512, 512), (512,), (256, 512), (256,)
    ]  # fmt: skip
