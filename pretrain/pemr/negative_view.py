"""The negative view's share of the loss, for PEMR and its control. B: clips, L: frames, D: mel bins."""

from __future__ import annotations

from collections.abc import Callable

import torch
from s3prl.upstream.fcn4.encoder import frozen_running_statistics
from s3prl.upstream.pemr.masking import masked_frame_count
from torch import Tensor, nn

from .objective import cross_correlation, negative_loss


def negative_view_loss(
    z_a: Tensor,
    frames_b: Tensor,
    negative: Tensor,
    mask_ratio: float,
    trade_off: float,
    encoder: nn.Module,
    project: Callable[[Tensor], Tensor],
) -> Tensor:
    """Eq. 9 of a batch; 0 where the ratio masks no frame: batch norm would amplify an empty view's rounding.

    Args:
        z_a: projections of the first crops, (B, P).
        frames_b: normalised log-mel frames of the second crops, (B, L, D).
        negative: 1 where a frame is kept in the negative view, (B, L).
        mask_ratio: r of Eq. 5.
        trade_off: lambda.
        encoder: its running statistics stay as they are.
        project: frames (B, L, D) to projections (B, P).
    """
    if masked_frame_count(negative.shape[1], mask_ratio) == 0:
        return z_a.new_zeros((), dtype=torch.float32)
    with frozen_running_statistics(encoder):
        z_negative = project(frames_b * negative[..., None])
    return negative_loss(cross_correlation(z_a, z_negative), trade_off)
