"""Mean and deviation over time."""

import numpy as np
import pytest
import torch

from s3prl_pemr.features.time_pooling import (
    POOLINGS,
    frames_of_equal_pooling,
    pooled_width,
    time_mean_std,
)


def clips(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(frames, 5, generator=generator, dtype=dtype) + 100 for frames in (1, 2, 9)]


def test_each_clip_by_numpy():
    found = time_mean_std(clips()).numpy()
    for row, frames in zip(found, clips(), strict=True):
        np.testing.assert_allclose(row[:5], np.mean(frames.numpy(), axis=0), rtol=1e-12)
        np.testing.assert_allclose(row[5:], np.std(frames.numpy(), axis=0), rtol=1e-9, atol=1.1e-6)


def test_a_large_offset_does_not_drown_the_deviation():
    frames = [torch.tensor([[1000.0], [1000.125]])]
    assert time_mean_std(frames)[0, 1].item() == pytest.approx(0.0625, rel=1e-4)


def test_the_gradient_of_a_lone_frame_is_finite():
    frames = [torch.ones(1, 3, requires_grad=True), torch.ones(4, 3, requires_grad=True)]
    time_mean_std(frames).sum().backward()
    assert all(one.grad.isfinite().all() for one in frames)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_raised(dtype):
    frames = [(clip - 100).to(dtype) for clip in clips()]
    found = time_mean_std(frames)
    assert found.dtype == dtype
    exact = time_mean_std([one.double() for one in frames])
    torch.testing.assert_close(found.double(), exact, rtol=1e-2, atol=2e-3)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_few_frames_stand_for_all(pooling):
    pool = POOLINGS[pooling]
    few = [frames_of_equal_pooling(pooling, frames) for frames in clips()]
    assert {len(frames) for frames in few} == {1 if pooling == "mean" else 2}
    torch.testing.assert_close(pool(few), pool(clips()), rtol=1e-9, atol=1e-8)
    assert pool(few).shape[1] == pooled_width(pooling, 5)
