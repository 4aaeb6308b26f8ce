"""What masks choose, on made-up importances; interpolation by numpy."""

import numpy as np
import pytest
import torch
from s3prl.pretrain.pemr.mask_statistics import (
    interpolated,
    masked_percentile,
    mean_frames,
    place_share,
    rank_correlation,
    ranks,
)
from scipy.stats import spearmanr


def test_ranks_by_hand():
    values = torch.tensor([[0.3, 0.1, 0.2, 0.1]])
    assert ranks(values).tolist() == [[3, 0, 2, 1]]  # of equal values the first is lower


def test_place_share():
    generator = torch.Generator().manual_seed(0)
    row = torch.rand(1, 50, generator=generator)
    assert place_share(row.repeat(20, 1)).item() == pytest.approx(1)  # the same order whatever plays
    unrelated = torch.rand(400, 50, generator=generator)
    assert place_share(unrelated).item() == pytest.approx(1 / 400, rel=0.5)
    # half of the clips in one order, half in its reverse: every place has the same mean rank
    assert place_share(torch.cat([row, -row]).repeat(10, 1)).item() == pytest.approx(0, abs=1e-12)


def test_rank_correlation_is_spearmans():
    a, b = torch.rand(2, 6, 30, generator=torch.Generator().manual_seed(1))
    expected = np.mean([spearmanr(x, y).statistic for x, y in zip(a.numpy(), b.numpy(), strict=True)])
    assert rank_correlation(a, b).item() == pytest.approx(expected, abs=1e-9)
    assert rank_correlation(a, a**3).item() == pytest.approx(1)
    assert rank_correlation(a, -a).item() == pytest.approx(-1)


def test_masked_percentile_by_hand():
    values = torch.tensor([[4.0, 1.0, 3.0, 2.0]])
    # percentiles (rank + .5) / 4: .875, .125, .625, .375
    assert masked_percentile(values, torch.tensor([[1.0, 0, 0, 0]])).item() == pytest.approx(0.875)
    assert masked_percentile(values, torch.tensor([[0, 1.0, 0, 1.0]])).item() == pytest.approx(0.25)


def test_interpolation_equals_numpys():
    generator = np.random.default_rng(2)
    frames = generator.standard_normal((5, 40, 3))
    masked = generator.random((5, 40)) < 0.4
    masked[0, :4], masked[1, -3:] = True, True  # both ends
    found = interpolated(torch.from_numpy(frames), torch.from_numpy(masked)).numpy()
    for clip in range(5):
        kept, places = np.flatnonzero(~masked[clip]), np.arange(40)
        for dimension in range(3):
            expected = np.interp(places, kept, frames[clip, kept, dimension])
            np.testing.assert_allclose(found[clip, :, dimension], expected, atol=1e-12)


def test_a_clip_of_masked_frames_alone_stays():
    frames = torch.rand(1, 4, 2)
    assert torch.equal(interpolated(frames, torch.ones(1, 4, dtype=torch.bool)), frames)


def test_mean_frames_by_hand():
    frames = torch.tensor([[[1.0], [5.0], [3.0]]])
    assert mean_frames(frames, torch.tensor([[False, True, False]])).flatten().tolist() == [2, 2, 2]
