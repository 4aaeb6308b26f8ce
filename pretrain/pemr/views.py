"""The masked views' shares of the loss, for PEMR and its control. B: clips, L: frames, D: bins, P: width."""

from __future__ import annotations

from collections.abc import Callable

import torch
from s3prl.upstream.fcn4.encoder import frozen_running_statistics
from s3prl.upstream.pemr.masking import masked_frame_count
from torch import Tensor, nn

from .objective import (
    correlation_gradient,
    cross_correlation,
    negative_loss,
    negative_loss_gradient,
    positive_loss_gradient,
)


def negative_projections(
    frames_b: Tensor,
    negative: Tensor,
    mask_ratio: float,
    encoder: nn.Module,
    project: Callable[[Tensor], Tensor],
) -> Tensor | None:
    """Projections of the negative views, (B, P); None where the ratio masks no frame.

    (Batch norm would amplify the rounding of an empty view.)

    Args:
        frames_b: normalised log-mel frames of the second crops, (B, L, D).
        negative: 1 where a frame is kept in the negative view, (B, L).
        mask_ratio: r of Eq. 5.
        encoder: its running statistics stay as they are.
        project: frames (B, L, D) to projections (B, P).
    """
    if masked_frame_count(negative.shape[1], mask_ratio) == 0:
        return None
    with frozen_running_statistics(encoder):
        return project(frames_b * negative[..., None])


def negative_share(z_a: Tensor, z_negative: Tensor | None, trade_off: float) -> Tensor:
    """L_neg of Eq. 9 for projections (B, P) of the first crops and the negative views; 0 without those."""
    if z_negative is None:
        return z_a.new_zeros((), dtype=torch.float32)
    return negative_loss(cross_correlation(z_a, z_negative), trade_off)


def negative_gradient_ratio(
    z_a: Tensor, z_positive: Tensor, z_negative: Tensor | None, trade_off: float, negative_trade_off: float
) -> Tensor:
    """How hard L_neg pulls beside L_pos: the norm of its gradient for z_a over that of L_pos's.

    Args:
        z_a, z_positive, z_negative: projections, (B, P); None for no negative view.
        trade_off, negative_trade_off: lambda of Eq. 8 and of Eq. 9.

    Returns: scalar; 0 without a negative view.
    """
    if z_negative is None:
        return z_a.new_zeros((), dtype=torch.float32)
    of_positive = correlation_gradient(z_a, z_positive, lambda u: positive_loss_gradient(u, trade_off))
    of_negative = correlation_gradient(
        z_a, z_negative, lambda v: negative_loss_gradient(v, negative_trade_off)
    )
    return of_negative.norm() / of_positive.norm().clamp(min=torch.finfo(torch.float32).tiny)
