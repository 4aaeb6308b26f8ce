"""Eq. 6 to Eq. 9 by hand and against numpy in float64."""

import numpy as np
import pytest
import torch
from s3prl.pretrain.pemr.objective import (
    correlation_gradient,
    cross_correlation,
    negative_loss,
    negative_loss_gradient,
    positive_loss,
    positive_loss_gradient,
    prediction_loss,
    smooth_l1,
    standardise,
)


def test_smooth_l1_by_hand():
    # 0.5 * 0.5^2 inside, |x| - 0.5 outside, both 0.5 at 1
    x = torch.tensor([0.0, 0.5, -0.5, 1.0, -3.0])
    assert smooth_l1(x).tolist() == [0, 0.125, 0.125, 0.5, 2.5]


def test_prediction_loss_by_hand():
    target = torch.zeros(2, 3, 2)
    prediction = torch.zeros(2, 3, 2)
    prediction[0, 1] = torch.tensor([0.5, 3.0])  # masked: 0.125 + 2.5
    prediction[0, 2] = 100.0  # not masked
    prediction[1, 0] = 1.0  # masked: 0.5 + 0.5
    masked = torch.tensor([[False, True, False], [True, False, False]])
    assert prediction_loss(target, prediction, masked).item() == pytest.approx((2.625 + 1.0) / 2)
    # over 2 frames of 2 bins
    assert prediction_loss(target, prediction, masked, "mean").item() == pytest.approx(3.625 / 4)


def test_prediction_loss_of_no_masked_frame_is_zero():
    zeros, masked = torch.zeros(2, 3, 4), torch.zeros(2, 3, dtype=torch.bool)
    for reduction in ("sum", "mean"):
        assert prediction_loss(zeros, zeros + 1, masked, reduction).item() == 0


def test_prediction_loss_equals_a_loop_in_float64():
    rng = np.random.default_rng(0)
    target, prediction = rng.standard_normal((2, 3, 7, 5)) * 2
    masked = rng.random((3, 7)) < 0.4
    expected = 0.0
    for b, frame in zip(*np.nonzero(masked), strict=True):
        for x in np.abs(target[b, frame] - prediction[b, frame]):
            expected += (0.5 * x**2 if x < 1 else x - 0.5) / 3
    got = prediction_loss(*(torch.from_numpy(x) for x in (target, prediction, masked)))
    assert got.item() == pytest.approx(expected, rel=1e-12)


def test_prediction_loss_names_an_unknown_reduction():
    with pytest.raises(ValueError, match="'sum' or 'mean', got 'none'"):
        prediction_loss(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1), torch.ones(1, 1), "none")


def test_cross_correlation_by_hand():
    # column standardised with the biased deviation: (1, 3) -> (-1, 1); (5, 1) -> (1, -1)
    z_a = torch.tensor([[1.0, 5.0], [3.0, 1.0]])
    u = cross_correlation(z_a, z_a)
    assert torch.allclose(u, torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))


def test_cross_correlation_equals_numpy():
    rng = np.random.default_rng(0)
    z_a, z_b = rng.standard_normal((2, 48, 20)) * rng.uniform(0.1, 9, 20) + 3
    expected = np.corrcoef(z_a, z_b, rowvar=False)[:20, 20:]
    got = cross_correlation(torch.from_numpy(z_a), torch.from_numpy(z_b)).numpy()
    np.testing.assert_allclose(got, expected, atol=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.1, -1234.5])
def test_a_column_without_variance_gives_zero(constant):
    z_a = torch.randn(48, 3)
    z_b = torch.randn(48, 3)
    z_b[:, 1] = constant  # 48 * 0.1 / 48 is not 0.1 in float32
    z_b.requires_grad_()
    u = cross_correlation(z_a, z_b)
    assert u[:, 1].tolist() == [0, 0, 0]
    assert u[:, 0].abs().min() > 0
    u.sum().backward()
    assert torch.isfinite(z_b.grad).all()
    assert standardise(z_b)[:, 1].abs().max() == 0


def test_a_column_of_small_variance_is_not_taken_for_constant():
    z = torch.full((48, 1), 100.0) + 0.1 * torch.randn(48, 1)
    assert standardise(z).std(correction=0).item() == pytest.approx(1, abs=1e-3)


def test_positive_loss_by_hand():
    u = torch.tensor([[0.5, 0.2], [-0.1, 1.0]])
    # (1 - 0.5)^2 + 0 + 0.1 * (0.04 + 0.01)
    assert positive_loss(u, 0.1).item() == pytest.approx(0.255, abs=1e-6)


def test_negative_loss_by_hand():
    v = torch.tensor([[0.5, 9.0], [9.0, -1.0]])
    # 0.1 * (0.25 + 1)
    assert negative_loss(v, 0.1).item() == pytest.approx(0.125, abs=1e-6)


def test_losses_equal_loops_in_float64():
    u = np.random.default_rng(0).uniform(-1, 1, (9, 9))
    positive = sum((1 - u[i, i]) ** 2 for i in range(9)) + 0.005 * sum(
        u[i, j] ** 2 for i in range(9) for j in range(9) if i != j
    )
    negative = 0.005 * sum(u[i, i] ** 2 for i in range(9))
    assert positive_loss(torch.from_numpy(u), 0.005).item() == pytest.approx(positive, rel=1e-12)
    assert negative_loss(torch.from_numpy(u), 0.005).item() == pytest.approx(negative, rel=1e-12)


def test_perfect_agreement_of_independent_columns_is_zero():
    z = torch.linalg.qr(torch.randn(64, 8, dtype=torch.float64) - 0.5)[0]
    z = torch.linalg.qr(z - z.mean(dim=0))[0]  # centred, orthogonal
    assert positive_loss(cross_correlation(z, z), 0.005).item() == pytest.approx(0, abs=1e-12)


def test_half_precision_is_raised_to_float32():
    z = torch.randn(48, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        u = cross_correlation(z.bfloat16(), z.bfloat16())
    assert u.dtype == torch.float32
    assert torch.allclose(u, cross_correlation(z.bfloat16().float(), z.bfloat16().float()))


@pytest.mark.parametrize(
    ("loss", "of_u"), [(positive_loss, positive_loss_gradient), (negative_loss, negative_loss_gradient)]
)
def test_the_gradient_in_closed_form_is_autograds(loss, of_u):
    generator = torch.Generator().manual_seed(0)
    z, other = torch.randn(2, 12, 5, dtype=torch.float64, generator=generator)
    z[:, 2], other[:, 4] = 7.0, 0.0  # without variance
    z.requires_grad_()
    (expected,) = torch.autograd.grad(loss(cross_correlation(z, other), 0.3), z)
    found = correlation_gradient(z, other, lambda u: of_u(u, 0.3))
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-14)
    assert found[:, 2].abs().max() == 0 < found[:, 0].abs().max()
