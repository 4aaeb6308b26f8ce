"""The negative view's share, its gradient beside the positive one's, and the loss that trains [CLS]."""

import math

import pytest
import torch
from s3prl.pretrain.pemr.cls_pair import cls_pair_loss
from s3prl.pretrain.pemr.objective import cross_correlation, negative_loss, positive_loss
from s3prl.pretrain.pemr.views import negative_gradient_ratio, negative_projections, negative_share


def projections():
    return torch.randn(3, 12, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_share_is_equation_9_and_0_without_a_view():
    z_a, _, z_neg = projections()
    expected = negative_loss(cross_correlation(z_a, z_neg), 0.1)
    torch.testing.assert_close(negative_share(z_a, z_neg, 0.1), expected)
    assert negative_share(z_a, None, 0.1).item() == 0


def test_a_ratio_that_masks_nothing_gives_no_view():
    frames = torch.rand(2, 9, 4)
    never = torch.nn.Identity()
    found = negative_projections(frames, torch.zeros(2, 9), 0.1, never, lambda x: pytest.fail("projected"))
    assert found is None  # floor(0.1 * 9) = 0


def test_gradient_ratio_by_differences():
    z_a, z_pos, z_neg = projections()

    def norm(loss):
        """Of the gradient for z_a, by central differences."""
        step, total = 1e-6, 0.0
        for index in range(z_a.numel()):
            shift = torch.zeros_like(z_a).flatten()
            shift[index] = step
            shift = shift.view_as(z_a)
            total += ((loss(z_a + shift) - loss(z_a - shift)) / (2 * step)).item() ** 2
        return math.sqrt(total)

    expected = norm(lambda z: negative_loss(cross_correlation(z, z_neg), 0.5)) / norm(
        lambda z: positive_loss(cross_correlation(z, z_pos), 0.005)
    )
    found = negative_gradient_ratio(z_a, z_pos, z_neg, 0.005, 0.5)
    assert found.item() == pytest.approx(expected, rel=1e-5)
    # linear in its own lambda
    tenth = negative_gradient_ratio(z_a, z_pos, z_neg, 0.005, 0.05)
    assert tenth.item() == pytest.approx(found.item() / 10, rel=1e-5)
    assert negative_gradient_ratio(z_a, z_pos, None, 0.005, 0.5).item() == 0


def test_cls_pair_by_hand():
    # cosines: own track 1, the other 0; temperature 1: -log(e / (e + 1)) = 0.31326, in both directions
    a = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    assert cls_pair_loss(a, a, 1.0).item() == pytest.approx(0.31326, abs=1e-5)
    # the other track's instead: log(1 + e) = 1.31326
    assert cls_pair_loss(a, a.flip(0), 1.0).item() == pytest.approx(1.31326, abs=1e-5)
    # one direction alone would not see that both first crops look like the first second crop
    b = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    cosines = torch.nn.functional.normalize(a) @ torch.nn.functional.normalize(b).T
    rows = -torch.log_softmax(cosines, dim=1).diagonal().mean()
    columns = -torch.log_softmax(cosines, dim=0).diagonal().mean()
    assert cls_pair_loss(a, b, 1.0).item() == pytest.approx((rows + columns).item() / 2)
