"""The first block in one go equals its plain layers."""

import pytest
import torch
import torch.nn.functional as F
from s3prl.upstream.fcn4 import encoder as encoder_module
from s3prl.upstream.fcn4 import fused_block
from s3prl.upstream.fcn4.encoder import FCN4
from s3prl.upstream.fcn4.fused_block import conv_pool_relu

POOL = (2, 4)


def plain(x, weight, bias, lengths):
    maps = F.relu(F.conv2d(x, weight, bias, padding=1))
    if lengths is not None:
        maps = maps * (torch.arange(x.shape[-1]) < lengths[:, None])[:, None, None, :]
    return F.max_pool2d(maps, POOL, ceil_mode=True)


@pytest.mark.parametrize(
    ("frames", "lengths"), [(1, None), (13, None), (400, None), (14, [14, 9, 1]), (4, [3]), (8, [8, 0])]
)
@pytest.mark.parametrize("rows", [7, 8_192])
def test_equals_convolution_maximum_and_relu(monkeypatch, frames, lengths, rows):
    monkeypatch.setattr(fused_block, "ROWS", rows)
    generator = torch.Generator().manual_seed(frames)
    x, weight, bias = (
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in [(len(lengths or [0]), 1, 16, frames), (5, 1, 3, 3), (5,)]
    )
    lengths = None if lengths is None else torch.tensor(lengths)
    fused = conv_pool_relu(x, weight, bias, POOL, lengths)
    torch.testing.assert_close(fused, plain(x, weight, bias, lengths), rtol=1e-12, atol=1e-12)
    assert fused.count_nonzero() > 0


def test_the_encoder_takes_it_at_inference_only(monkeypatch):
    taken = []

    def noted(*args):
        taken.append(args)
        return conv_pool_relu(*args)

    monkeypatch.setattr(encoder_module, "conv_pool_relu", noted)
    encoder, frames = FCN4((4, 4, 4, 4)), torch.randn(2, 130, 32)
    encoder(frames)
    expected = encoder.eval()(frames)
    assert not taken
    with torch.no_grad():
        found = encoder(frames)
    assert len(taken) == 1
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_under_autocast_the_first_block_stays_in_float32():
    torch.manual_seed(0)
    encoder, frames = FCN4((4, 4, 4, 4)).eval(), torch.randn(2, 130, 32)
    with torch.no_grad():
        expected = encoder(frames)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert encoder.blocks[0](frames.transpose(1, 2)[:, None]).dtype == torch.float32
            found = encoder(frames)
    torch.testing.assert_close(found.float(), expected, rtol=0.05, atol=0.02)
