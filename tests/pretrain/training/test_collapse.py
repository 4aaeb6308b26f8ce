"""Two alarms of a collapsing representation."""

import pytest
import torch
from s3prl.pretrain.training.collapse import CollapseAlarm, effective_rank, embedding_std


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


def test_the_alarm_warns_once_of_five_log_steps_in_a_row(caplog):
    alarm, low, healthy = CollapseAlarm(), 0.002, 0.003  # the floor of 512 values: 0.05 / 512**0.5 = 0.00221
    for step, std in enumerate([low] * 4 + [healthy] + [low] * 4):
        alarm.hear(std, 512, step)
    assert not caplog.records
    for step in range(9, 20):
        alarm.hear(low, 512, step)
    (record,) = caplog.records
    assert (
        "step 9: the representation seems collapsed: embedding_std 0.002, under 0.0022 for 5"
        in record.message
    )
