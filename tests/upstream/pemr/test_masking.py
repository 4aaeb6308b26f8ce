"""Eq. 4 and Eq. 5 against numbers worked out by hand and a float64 reference."""

import math

import numpy as np
import pytest
import torch
from s3prl.upstream.pemr.masking import frame_importance, masked_frame_count, positive_negative_masks


def test_importance_by_hand():
    # one head, D = 1: q_a = ln 2 on keys (0, 1) -> softmax (1, 2) / 3; q_b = 0 -> (1, 1) / 2
    query_a, query_b = torch.full((1, 1, 1), math.log(2)), torch.zeros(1, 1, 1)
    keys = torch.tensor([0.0, 1.0]).reshape(1, 1, 2, 1)
    scores = frame_importance(query_a, query_b, keys)
    # (1/3 + 1/2) / 2 = 5/12, (2/3 + 1/2) / 2 = 7/12
    assert scores[0].tolist() == pytest.approx([5 / 12, 7 / 12], abs=1e-6)


def test_importance_divides_by_the_root_of_the_width():
    # D = 4, q . k = 2 ln 3, over sqrt(4) = ln 3 -> softmax (3, 1) / 4
    query = torch.full((1, 1, 4), math.log(3) / 2)
    keys = torch.stack([torch.ones(4), torch.zeros(4)]).reshape(1, 1, 2, 4)
    assert frame_importance(query, query, keys)[0].tolist() == pytest.approx([0.75, 0.25], abs=1e-6)


def test_importance_equals_a_loop_in_float64():
    rng = np.random.default_rng(0)
    batch, heads, length, width = 3, 4, 11, 6
    q_a, q_b = rng.standard_normal((2, batch, heads, width))
    keys = rng.standard_normal((batch, heads, length, width))
    expected = np.zeros((batch, length))
    for b in range(batch):
        for h in range(heads):
            for query in (q_a[b, h], q_b[b, h]):
                logits = np.array([query @ keys[b, h, frame] for frame in range(length)]) / math.sqrt(width)
                expected[b] += np.exp(logits) / np.exp(logits).sum() / 2
    got = frame_importance(*(torch.from_numpy(x) for x in (q_a, q_b, keys)))
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(got.sum(dim=1).numpy(), heads, rtol=1e-12)


def test_masks_by_hand():
    scores = torch.tensor([[0.4, 0.1, 0.3, 0.2]])
    positive, negative = positive_negative_masks(scores, 0.5)  # the two lowest are frames 1 and 3
    assert positive.tolist() == [[1, 0, 1, 0]]
    assert negative.tolist() == [[0, 1, 0, 1]]


@pytest.mark.parametrize(
    ("length", "ratio", "count"), [(338, 0.1, 33), (100, 0.29, 29), (10, 0.3, 3), (9, 0.1, 0)]
)
def test_exactly_floor_ratio_length_frames_are_masked(length, ratio, count):
    scores = torch.rand(5, length, generator=torch.Generator().manual_seed(0))
    positive, negative = positive_negative_masks(scores, ratio)
    assert masked_frame_count(length, ratio) == count
    assert (negative.sum(dim=1) == count).all()
    assert torch.equal(positive + negative, torch.ones_like(scores))
    if count:  # every masked frame scores below every kept one
        masked = scores.where(negative == 1, -1).amax(dim=1)
        assert (masked < scores.where(positive == 1, 2).amin(dim=1)).all()


def test_of_equal_scores_the_lower_index_is_masked_first():
    scores = torch.zeros(2, 50)
    scores[1, :10] = 1.0
    _, negative = positive_negative_masks(scores, 0.2)
    assert negative[0].nonzero().flatten().tolist() == list(range(10))
    assert negative[1].nonzero().flatten().tolist() == list(range(10, 20))


def test_ratio_zero_masks_nothing():
    positive, negative = positive_negative_masks(torch.rand(2, 30), 0.0)
    assert positive.min() == 1
    assert negative.max() == 0


@pytest.mark.parametrize("ratio", [-0.1, 1.0])
def test_ratio_outside_its_range_is_named(ratio):
    with pytest.raises(ValueError, match=r"mask ratio must be in \[0, 1\)"):
        positive_negative_masks(torch.rand(1, 10), ratio)
