import numpy as np
import pytest
import torch
from s3prl.downstream.music_tagging.labels.task import Multiclass, Tagging
from s3prl.downstream.music_tagging.model import make_head

from s3prl_pemr.features.time_pooling import time_mean


def test_each_clip_is_averaged_over_its_own_frames():
    features = [torch.tensor([[1.0, 2.0], [3.0, 6.0]]), torch.tensor([[5.0, 7.0]])]
    assert time_mean(features).tolist() == [[2.0, 4.0], [5.0, 7.0]]


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("linear", 512 * 50 + 50),
        ("mlp", 512 * 128 + 128 + 128 * 50 + 50),
    ],
)
def test_heads(kind, parameters):
    head = make_head(kind, input_dim=512, tags=50, hidden_dim=128)
    assert head(torch.zeros(3, 512)).shape == (3, 50)
    assert sum(parameter.numel() for parameter in head.parameters()) == parameters


def test_the_mlp_is_not_linear():
    torch.manual_seed(0)
    x, mlp = torch.randn(1, 8), make_head("mlp", 8, 2, 16)
    assert not torch.allclose(mlp(x) + mlp(-x), 2 * mlp(torch.zeros(1, 8)))


def test_a_standardised_head_is_linear_and_blind_to_scale():
    torch.manual_seed(0)
    vectors = torch.randn(6, 8) * torch.logspace(0, 3, 8) + 5.0
    heads = []
    for scale in (1.0, 1e-2):
        torch.manual_seed(1)
        head = make_head("linear", 8, 2, 0, standardise=True)
        for _ in range(200):  # the running statistics come to those of these six
            out = head(scale * vectors)
        heads.append((head.eval(), scale, out))
    torch.testing.assert_close(heads[0][2], heads[1][2], rtol=1e-2, atol=1e-3)
    standard = (vectors - vectors.mean(0)) / vectors.std(0, correction=0)
    linear = heads[0][0][1]
    torch.testing.assert_close(heads[0][2], linear(standard), rtol=1e-3, atol=1e-3)
    for head, scale, _ in heads:
        a, b, zero = (head(x) for x in (scale * vectors, -scale * vectors, torch.zeros(6, 8)))
        torch.testing.assert_close(a + b, 2 * zero, rtol=1e-3, atol=1e-2)  # affine
    assert sum(parameter.numel() for parameter in heads[0][0].parameters()) == 8 * 2 + 2


def test_a_lone_clip_in_a_training_batch_is_standardised_with_the_running_statistics():
    head = make_head("linear", 4, 2, 0, standardise=True)
    head(torch.randn(16, 4))
    lone = torch.randn(1, 4)
    trained = head(lone)
    assert torch.equal(trained, head.eval()(lone))


def test_losses_by_hand():
    # logits 0: sigmoid 1/2, -log(1/2) = 0.6931 for every tag; softmax over 4 classes: -log(1/4) = 1.3863
    logits = torch.zeros(2, 4)
    targets = torch.eye(4)[:2]
    assert Tagging.loss(logits, targets).item() == pytest.approx(np.log(2), abs=1e-6)
    assert Multiclass.loss(logits, targets).item() == pytest.approx(np.log(4), abs=1e-6)
    # logits log 3: sigmoid 3/4; with one log 3 among two: softmax 3/4
    logits = torch.tensor([[np.log(3), 0.0]])
    assert Tagging.scores(logits).tolist() == [pytest.approx([0.75, 0.5])]
    assert Multiclass.scores(logits).tolist() == [pytest.approx([0.75, 0.25])]
