"""Mean and deviation over time."""

import numpy as np
import pytest
import torch
from s3prl.upstream.interfaces import Featurizer

from s3prl_pemr.features.time_pooling import POOLINGS, pooled_width, time_mean_std


def clips(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(frames, 5, generator=generator, dtype=dtype) + 100 for frames in (1, 2, 9)]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_each_clip_by_numpy(pooling):
    found = POOLINGS[pooling](clips()).numpy()
    assert found.shape == (3, pooled_width(pooling, 5))
    for row, frames in zip(found, clips(), strict=True):
        np.testing.assert_allclose(row[:5], np.mean(frames.numpy(), axis=0), rtol=1e-12)
        if pooling == "mean_std":
            np.testing.assert_allclose(row[5:], np.std(frames.numpy(), axis=0), rtol=1e-9, atol=1.1e-6)


class Padded(torch.nn.Module):
    """A frame of 3 dimensions per 1,000 samples, float64; behind the shorter clips of a batch it is NaN."""

    def get_downsample_rates(self, key):
        return 1_000

    def forward(self, wavs):
        frames = [wav.double()[: len(wav) // 1_000 * 1_000].view(-1, 1_000)[:, :3] for wav in wavs]
        padded = torch.nn.utils.rnn.pad_sequence(frames, batch_first=True, padding_value=float("nan"))
        return {"hidden_states": [padded]}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_is_no_part_of_a_clip(pooling):
    wavs = [
        torch.randn(samples, generator=torch.Generator().manual_seed(samples))
        for samples in (9_000, 1_000, 4_000)
    ]
    model = Padded()
    found = POOLINGS[pooling](Featurizer(model, upstream_device="cpu")(wavs, model(wavs)))
    for row, wav in zip(found.numpy(), wavs, strict=True):
        frames = wav.double().numpy().reshape(-1, 1_000)[:, :3]
        expected = [frames.mean(axis=0), frames.std(axis=0)][: len(row) // 3]
        np.testing.assert_allclose(row, np.concatenate(expected), rtol=1e-9, atol=1.1e-6)


def test_a_large_offset_does_not_drown_the_deviation():
    frames = [torch.tensor([[1000.0], [1000.125]])]
    assert time_mean_std(frames)[0, 1].item() == pytest.approx(0.0625, rel=1e-4)


def test_the_gradient_of_a_lone_frame_is_finite():
    frames = [torch.ones(1, 3, requires_grad=True), torch.ones(4, 3, requires_grad=True)]
    time_mean_std(frames).sum().backward()
    for one in frames:  # that of the mean alone
        torch.testing.assert_close(one.grad, torch.full_like(one, 1 / len(one)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_gradient_in_half_precision_is_finite(dtype):
    frames = torch.full((4, 3), 0.1, dtype=dtype, requires_grad=True)
    time_mean_std([frames]).sum().backward()
    assert frames.grad.isfinite().all()


def test_the_gradient_by_finite_differences():
    frames = [(clip - 100).requires_grad_() for clip in clips()[1:]]
    assert torch.autograd.gradcheck(lambda *few: time_mean_std(few), frames)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_raised(dtype):
    frames = [(clip - 100).to(dtype) for clip in clips()]
    found = time_mean_std(frames)
    assert found.dtype == dtype
    exact = time_mean_std([one.double() for one in frames])
    torch.testing.assert_close(found.double(), exact, rtol=1e-2, atol=2e-3)
