"""Each baseline's equations by hand and against numpy in float64."""

import copy
import math

import numpy as np
import pytest
import torch
from s3prl.pretrain.ablations.random_mask import RandomMaskConfig
from s3prl.pretrain.baselines.byol import byol_loss, target_momentum
from s3prl.pretrain.baselines.cola import bilinear_loss
from s3prl.pretrain.baselines.moco import info_nce
from s3prl.pretrain.baselines.momentum import follow
from s3prl.pretrain.baselines.simclr import nt_xent
from torch import nn

rng = np.random.default_rng(0)


def normalised(z):
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def tensors(*arrays):
    return [torch.from_numpy(array) for array in arrays]


def test_nt_xent_by_hand():
    # two tracks at right angles, both crops alike: a cosine of 1 to the partner, 0 to the two others
    z = torch.eye(2)
    e = math.exp(1 / 0.5)
    assert nt_xent(3 * z, z, 0.5).item() == pytest.approx(-math.log(e / (e + 2)))


def test_nt_xent_equals_a_loop_in_float64():
    z_a, z_b = rng.standard_normal((2, 5, 7))
    z = normalised(np.concatenate([z_a, z_b]))
    losses = []
    for i in range(10):
        scores = {k: math.exp(z[i] @ z[k] / 0.3) for k in range(10) if k != i}
        losses.append(-math.log(scores[(i + 5) % 10] / sum(scores.values())))
    assert nt_xent(*tensors(z_a, z_b), 0.3).item() == pytest.approx(np.mean(losses), rel=1e-12)


def test_info_nce_by_hand():
    # cosine 1 to the key, 0 and -1 to the queue, temperature 0.5
    query, queue = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    expected = -math.log(math.exp(2) / (math.exp(2) + 1 + math.exp(-2)))
    assert info_nce(query, query, queue, 0.5).item() == pytest.approx(expected)


def test_info_nce_equals_a_loop_in_float64():
    queries, keys, queue = (normalised(rng.standard_normal((n, 6))) for n in (4, 4, 9))
    losses = []
    for query, key in zip(queries, keys, strict=True):
        scores = [math.exp(query @ other / 0.07) for other in [key, *queue]]
        losses.append(-math.log(scores[0] / sum(scores)))
    assert info_nce(*tensors(queries, keys, queue), 0.07).item() == pytest.approx(np.mean(losses), rel=1e-12)


def test_byol_loss_by_hand():
    # the same direction gives 0, right angles 2, opposite ones 4
    x, y = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 5.0]])
    assert byol_loss(x, y, target_a=3 * y, target_b=x).item() == pytest.approx(0 + 0)
    assert byol_loss(x, y, target_a=-y, target_b=y).item() == pytest.approx(2 + 4)


def test_byol_loss_equals_squared_distances_in_float64_and_stops_at_the_target():
    arrays = rng.standard_normal((4, 5, 6))
    prediction_a, prediction_b, target_a, target_b = (normalised(z) for z in arrays)
    squared = ((prediction_a - target_b) ** 2).sum(1) + ((prediction_b - target_a) ** 2).sum(1)
    inputs = [z.requires_grad_() for z in tensors(*arrays)]
    loss = byol_loss(*inputs)
    assert loss.item() == pytest.approx(squared.mean(), rel=1e-12)
    loss.backward()
    assert [z.grad is None for z in inputs] == [False, False, True, True]


def test_bilinear_loss_equals_a_loop_in_float64():
    anchors, positives = rng.standard_normal((2, 4, 3))
    weight = rng.standard_normal((3, 3))  # not symmetric: the anchor is on its left
    losses = []
    for i, anchor in enumerate(anchors):
        scores = [math.exp(anchor @ weight @ positive) for positive in positives]
        losses.append(-math.log(scores[i] / sum(scores)))
    assert bilinear_loss(*tensors(anchors, positives, weight)).item() == pytest.approx(
        np.mean(losses), rel=1e-12
    )


def test_target_momentum_by_hand():
    # k = 0, K / 3, K / 2, K: the cosine is 1, 1/2, 0, -1
    updates = torch.tensor([0, 200, 300, 600])
    expected = torch.tensor([0.99, 1 - 0.01 * 0.75, 0.995, 1.0])
    torch.testing.assert_close(target_momentum(0.99, updates, 600), expected)


def test_follow_moves_weights_and_running_statistics_by_hand():
    fast = nn.BatchNorm1d(1)
    slow = copy.deepcopy(fast)  # weight 1, bias 0, mean 0, variance 1, counter 0
    with torch.no_grad():
        fast.weight.fill_(3.0)
        fast.running_mean.fill_(10.0)
        fast.running_var.fill_(5.0)
        fast.num_batches_tracked.fill_(7)
    follow(slow, fast, 0.75)
    assert slow.weight.item() == 1.5  # 0.75 * 1 + 0.25 * 3
    assert slow.running_mean.item() == 2.5
    assert slow.running_var.item() == 2.0
    assert slow.num_batches_tracked.item() == 7
    follow(slow, fast, torch.tensor(0.0))
    assert slow.weight.item() == 3.0


def test_random_mask_has_the_count_of_eq_5_at_any_place():
    draws = [RandomMaskConfig(mask_ratio=0.1).draw([np.random.default_rng(seed)], 338) for seed in range(400)]
    masked = torch.cat([draw.masked for draw in draws])
    assert (masked.sum(dim=1) == 33).all()  # floor(33.8)
    # 400 draws of 33 of 338: 39.1 a frame, deviation 5.9; within 5 of them
    assert (masked.sum(dim=0) - 39.1).abs().max() < 30
    frames = torch.ones(1, 338, 2)
    assert torch.equal(draws[0].apply(frames)[..., 0] == 0, draws[0].masked)
    same = RandomMaskConfig(mask_ratio=0.1).draw([np.random.default_rng(3)], 338)
    assert torch.equal(same.masked, draws[3].masked)
