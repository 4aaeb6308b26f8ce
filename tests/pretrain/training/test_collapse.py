"""Two alarms of a collapsing representation."""

import pytest
import torch
from s3prl.pretrain.training.collapse import effective_rank, embedding_std


def test_embedding_std_by_hand():
    assert embedding_std(torch.ones(8, 4)).item() == pytest.approx(0, abs=1e-7)  # collapsed
    vectors = torch.cat([torch.eye(4), -torch.eye(4)])
    # per dimension 8 values, two of them +-1: variance 2 / 7
    assert embedding_std(vectors).item() == pytest.approx((2 / 7) ** 0.5)


def test_effective_rank_by_hand():
    # two centred directions of equal strength: entropy ln 2
    square = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    assert effective_rank(square).item() == pytest.approx(2)
    assert effective_rank(100 * square + 7).item() == pytest.approx(
        2, rel=1e-4
    )  # neither scale nor mean counts
    # singular values 3 : 1, shares .75 and .25: exp(.75 ln(4/3) + .25 ln 4) = 1.7548
    uneven = square * torch.tensor([3.0, 1, 1])
    assert effective_rank(uneven).item() == pytest.approx(1.7548, abs=1e-4)
    assert effective_rank(torch.ones(5, 3)).item() == 0
    vectors = torch.randn(48, 512, generator=torch.Generator().manual_seed(0))
    assert 44 < effective_rank(vectors).item() <= 47  # of 48 clips at most B - 1
