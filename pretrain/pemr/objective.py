"""PEMR's losses (paper 3.3, 3.6). B: clips, L: frames, D: mel bins, P: projection width."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from s3prl.pretrain.training.global_batch import global_sum, world_size
from s3prl.pretrain.training.precision import at_least_float32
from torch import Tensor


def smooth_l1(x: Tensor) -> Tensor:
    """Eq. 7: 0.5 x^2 where |x| < 1, |x| - 0.5 elsewhere; elementwise."""
    return F.smooth_l1_loss(x, torch.zeros_like(x), reduction="none", beta=1.0)


def prediction_loss(target: Tensor, prediction: Tensor, masked: Tensor, reduction: str = "sum") -> Tensor:
    """Eq. 6: Huber loss of the masked frames.

    Args:
        target: uncorrupted normalised log-mel frames X, (B, L, D).
        prediction: P, (B, L, D).
        masked: the set I of frames to be predicted, (B, L) bool.
        reduction: "sum" over frames and bins, then the mean over clips (the paper's sum, made independent
            of the batch size); "mean" over all masked values, for reading.

    Returns: scalar, float32 at least; 0 where nothing is masked.

    Raises:
        ValueError: another reduction.
    """
    loss = smooth_l1(at_least_float32(target) - at_least_float32(prediction)).sum(dim=-1) * masked
    if reduction == "sum":
        return loss.sum() / target.shape[0]
    if reduction == "mean":
        return loss.sum() / (masked.sum() * target.shape[-1]).clamp(min=1)
    raise ValueError(f"reduction must be 'sum' or 'mean', got {reduction!r}")


def standardise(z: Tensor) -> Tensor:
    """Subtract each column's mean over the global batch and divide by its biased deviation; (B, P) -> (B, P).

    A column without variance, to rounding, becomes 0 instead of 0/0: the all-zero negative view has 256 of
    them.
    """
    return _standardised(z)[0]


def _standardised(z: Tensor) -> tuple[Tensor, Tensor]:
    """Standardised columns (B, P), and what each was divided by, (P,); infinite where that left 0."""
    count = z.shape[0] * world_size()
    mean, size = global_sum(torch.stack([z.sum(dim=0), z.detach().square().sum(dim=0)])) / count
    centred = z - mean
    variance = global_sum(centred.square().sum(dim=0)) / count
    constant = variance.detach() <= (32 * torch.finfo(z.dtype).eps) ** 2 * size
    deviation = torch.where(constant, torch.ones_like(variance), variance).sqrt()
    standard = torch.where(constant, torch.zeros_like(centred), centred / deviation)
    return standard, deviation.masked_fill(constant, torch.inf)


def cross_correlation(z_a: Tensor, z_b: Tensor) -> Tensor:
    """U of Eq. 8, V of Eq. 9: correlation of every pair of columns over the global batch.

    Barlow Twins (the paper's [43]), Eq. 2.

    Args:
        z_a, z_b: projections of this process's clips, (B, P). Half precision is raised to float32.

    Returns: (P, P), in [-1, 1]; the same in every process.
    """
    with torch.autocast(z_a.device.type, enabled=False):
        z_a, z_b = standardise(at_least_float32(z_a)), standardise(at_least_float32(z_b))
        return global_sum(z_a.T @ z_b) / (z_a.shape[0] * world_size())


@torch.no_grad()
def correlation_gradient(z: Tensor, other: Tensor, loss_gradient: Callable[[Tensor], Tensor]) -> Tensor:
    """Gradient for z of a loss of U = cross_correlation(z, other), in closed form.

    Args:
        z, other: projections of this process's clips, (B, P). Half precision is raised to float32.
        loss_gradient: U (P, P) to the gradient of the loss for it, (P, P).

    Returns: (B, P).
    """
    with torch.autocast(z.device.type, enabled=False):
        (a, deviation), b = _standardised(at_least_float32(z)), standardise(at_least_float32(other))
        count = z.shape[0] * world_size()
        of_a = b @ loss_gradient(global_sum(a.T @ b) / count).T / count
        along = global_sum(torch.stack([of_a.sum(dim=0), (of_a * a).sum(dim=0)])) / count
        return (of_a - along[0] - a * along[1]) / deviation


def positive_loss_gradient(u: Tensor, trade_off: float) -> Tensor:
    """Gradient of Eq. 8 for U, (P, P): 2 lambda U_ij, on the diagonal 2 (U_ii - 1)."""
    gradient = 2 * trade_off * u
    gradient.diagonal().copy_(2 * (u.diagonal() - 1))
    return gradient


def negative_loss_gradient(v: Tensor, trade_off: float) -> Tensor:
    """Gradient of Eq. 9 for V, (P, P): 2 lambda V_ii on the diagonal, 0 elsewhere."""
    return (2 * trade_off * v.diagonal()).diag_embed()


def positive_loss(u: Tensor, trade_off: float) -> Tensor:
    """Eq. 8: sum_i (1 - U_ii)^2 + lambda sum_i sum_{j != i} U_ij^2, from U (P, P) and lambda = trade_off."""
    diagonal = u.diagonal()
    off_diagonal = u.square().sum() - diagonal.square().sum()
    return (1 - diagonal).square().sum() + trade_off * off_diagonal


def negative_loss(v: Tensor, trade_off: float) -> Tensor:
    """Eq. 9: lambda sum_i V_ii^2, from V (P, P) and lambda = trade_off."""
    return trade_off * v.diagonal().square().sum()
