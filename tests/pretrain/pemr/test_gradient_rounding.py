"""Why two devices agree in the loss to many digits and in the encoder's gradient to two.

A gradient jumps where another place of a pooling window wins, or a value passes ReLU's zero. The augmented
waveforms of a CPU and a GPU differ by 4e-6 of their size: that much decides some of the encoder's windows
otherwise. With the winners held, the same difference does what it does to the loss. All of it in float64,
where nothing else is rounded.
"""

import copy

import pytest
import torch
from s3prl.pretrain.pemr.objective import cross_correlation, positive_loss
from s3prl.upstream.fcn4 import encoder as encoder_module
from s3prl.upstream.fcn4.encoder import FCN4, Block

DIFFERENCE = 4e-6


class Winners:
    """Notes which values pass ReLU and win in pooling, in the order of the calls; or takes those again."""

    def __init__(self, held=None):
        self.noted, self.held = [], iter(held) if held is not None else None

    def _which(self, found):
        self.noted.append(found)
        return found if self.held is None else next(self.held)

    def max_pool2d(self, x, pool, ceil_mode):
        _, own = torch.nn.functional.max_pool2d(x, pool, ceil_mode=ceil_mode, return_indices=True)
        place = self._which(own)
        return x.flatten(2).gather(2, place.flatten(2)).view(place.shape)

    def relu(self, x):
        return x * self._which(x > 0)


def loss_and_gradient(encoder, views, monkeypatch, held=None):
    encoder = copy.deepcopy(encoder)
    winners = Winners(held)
    monkeypatch.setattr(encoder_module, "F", winners)
    loss = positive_loss(cross_correlation(*(encoder(view).mean(dim=1) for view in views)), 0.005)
    loss.backward()
    return loss.item(), torch.cat([p.grad.flatten() for p in encoder.parameters()]), winners.noted


def test_the_encoders_gradient_follows_the_winners(monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr(Block, "_fits_fused", lambda self, x: False)
    encoder = FCN4((16, 16, 16, 16)).double()
    views = torch.randn(2, 8, 256, 64, dtype=torch.float64)
    moved = views + DIFFERENCE * torch.randn_like(views)
    loss, gradient, winners = loss_and_gradient(encoder, views, monkeypatch)
    other_loss, other, other_winners = loss_and_gradient(encoder, moved, monkeypatch)
    _, held, _ = loss_and_gradient(encoder, moved, monkeypatch, winners)

    def distance(a):
        return ((a - gradient).norm() / gradient.norm()).item()

    assert other_loss == pytest.approx(loss, rel=1e-4)
    changed = sum((a != b).sum().item() for a, b in zip(winners, other_winners, strict=True))
    assert 0 < changed < 1e-3 * sum(a.numel() for a in winners)
    assert distance(other) > 1e-4
    assert distance(held) < 0.2 * distance(other)
    _, again, _ = loss_and_gradient(encoder, views * (1 + 1e-13), monkeypatch)
    assert distance(again) < 1e-7
