"""Batch norm's statistics before an evaluation."""

import logging
from collections import defaultdict

import pytest
import torch
from cover_store import cover_store, version
from s3prl.downstream.cover_song.batch_norm import recalibrate_batch_norm
from s3prl.downstream.cover_song.expert import DownstreamExpert
from torch import nn


def test_statistics_are_the_mean_over_the_batches():
    network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(1)).double().eval()
    batches = torch.tensor([[[0.0], [2.0]], [[3.0], [7.0]]]).double()  # means 1 and 5, variances 2 and 8
    done = recalibrate_batch_norm(network, iter(batches))
    assert network[1].running_mean.item() == 3.0
    assert network[1].running_var.item() == 5.0
    assert (done.batches, done.median_ratio) == (2, pytest.approx(5.0))  # it was 1
    assert not network.training
    assert network[1].momentum == 0.1


@pytest.mark.parametrize(("batches", "times"), [(0, 0), (2, 1)])
def test_once_before_the_splits_of_an_evaluation(tmp_path, caplog, batches, times):
    tracks = {
        f"{work}_{number}": (str(work), "train" if work < 3 else "valid", version(work, number, 3))
        for work in range(5)
        for number in (0, 1)
    }
    settings = {
        "datarc": {"store": str(cover_store(tmp_path / "store", tracks)), "crop_columns": [140]},
        "modelrc": {"kind": "kinet", "recalibrate_batch_norm": batches},
    }
    torch.manual_seed(0)
    expert = DownstreamExpert(
        settings, {"eval_dataloaders": ["dev"]}, upstream_dim=4, upstream_rate=160, expdir=str(tmp_path)
    ).train()
    wavs, *others = next(iter(expert.get_dataloader("train", epoch=0)))
    expert("train", [torch.zeros(1, 4)], *others, records=defaultdict(list))
    before = expert.head.network.keys[1].running_mean.clone()
    with caplog.at_level(logging.INFO):
        expert.eval().get_dataloader("dev")
        expert.get_dataloader("dev")
    assert len([line for line in caplog.messages if "batch norm's statistics recomputed" in line]) == times
    assert torch.equal(before, expert.head.network.keys[1].running_mean) == (times == 0)
