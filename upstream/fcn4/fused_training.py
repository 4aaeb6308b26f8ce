"""The encoder's first block in training: convolution, batch norm, pooling and ReLU without the block's map.

With one input channel nothing of the 64 x 128 x frames map has to be written. The batch's mean and variance
of a convolution follow exactly from the mean and the 9 x 9 covariance of its 3 x 3 patches; an affine map of
a channel keeps the order of its values, or turns it round where its scale is negative, so that the maximum
over a window can be taken of the bare products; and the backward pass needs the winners' places and those
moments alone. On a CPU in fused_training_cpu.py, on a GPU in fused_training_triton.py. B: clips, C: channels,
F: mel bins, T: log-mel frames.
"""

from __future__ import annotations

import functools
import logging
from types import ModuleType

import torch
from s3prl.upstream.adapter.constant_result import constant_result
from torch import Tensor, nn

from . import fused_training_cpu

logger = logging.getLogger(__name__)


@functools.cache
def kernels(device_type: str) -> ModuleType | None:
    """What has patch_sums, winners and winner_sums for such a device, or None; it is asked for once."""
    if device_type == "cpu":
        return fused_training_cpu
    if device_type != "cuda":
        return None
    try:
        from . import fused_training_triton

        fused_training_triton.check()
        return fused_training_triton
    except Exception as error:  # without triton, a C compiler, Python's headers ... each raises its own
        reason = f"{type(error).__name__}: {error}"
    logger.warning(
        f"encoder: no Triton kernel ({reason}); its first block takes several times as long to train"
    )
    return None


def fits(x: Tensor) -> bool:
    """Whether `conv_norm_pool_relu` takes input of this precision on this device."""
    precisions = (torch.float32,) if x.is_cuda else (torch.float32, torch.float64)
    return x.dtype in precisions and _has_kernels(x.device.type)


@constant_result
def _has_kernels(device_type: str) -> bool:
    return kernels(device_type) is not None


def _calls(x: Tensor) -> ModuleType:
    """The kernels, or the same as operators where a compiler looks."""
    if torch.compiler.is_compiling():
        from . import fused_training_ops

        return fused_training_ops
    return kernels(x.device.type)


def patch_moments(x: Tensor) -> tuple[Tensor, Tensor, int]:
    """Mean (9,) and biased covariance (9, 9), in float64, of all zero-padded 3 x 3 patches, and their number.

    Args: x: (B, 1, F, T).
    """
    total, products = _calls(x).patch_sums(x)
    count = x.numel()
    mean = total / count
    return mean, products / count - mean[:, None] * mean, count


class _ConvNormPoolRelu(torch.autograd.Function):
    """See `conv_norm_pool_relu`; the gradient of the batch statistics is in closed form."""

    @staticmethod
    def forward(ctx, x, weight, bias, scale, shift, mean, covariance, pool, lengths, eps, dtype):
        kernel = weight.flatten(1).double()  # (C, 9)
        variance = (kernel @ covariance * kernel).sum(dim=1).clamp(min=0)
        inverse = (variance + eps).rsqrt()
        # relu(scale * (product - its mean) / deviation + shift)
        slope = (scale.double() * inverse).abs().to(weight)
        offset = (shift.double() - scale.double() * inverse * (kernel @ mean)).to(weight)
        # Where the scale is 0 all positions are equal, and the first wins.
        signed = weight.flatten(1) * scale.sign()[:, None]
        output, kept = _calls(x).winners(x, signed, slope, offset, pool, lengths, dtype)
        ctx.pool = pool
        ctx.save_for_backward(*kept, weight, scale, shift, inverse, mean, covariance)
        return output.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, gradient):
        *kept, weight, scale, shift, inverse, mean, covariance = ctx.saved_tensors
        sums = _calls(gradient).winner_sums
        of_winners, of_shift = sums(gradient.permute(0, 2, 3, 1), ctx.pool, *kept)
        kernel = weight.flatten(1).double()
        # normalised winners: (kernel . patch - kernel . mean) * inverse
        of_scale = ((of_winners * kernel).sum(dim=1) - of_shift * (kernel @ mean)) * inverse
        through_mean = of_shift[:, None] * mean
        through_variance = (of_scale * inverse)[:, None] * (kernel @ covariance)
        of_weight = (scale.double() * inverse)[:, None] * (of_winners - through_mean - through_variance)
        of_bias = torch.zeros_like(scale)  # batch norm takes it out again
        of_weight = of_weight.view_as(weight)
        return None, *(
            part.to(weight) for part in (of_weight, of_bias, of_scale, of_shift)
        ), None, None, None, None, None, None  # fmt: skip


def conv_norm_pool_relu(
    x: Tensor, conv: nn.Conv2d, norm: nn.BatchNorm2d, pool: tuple[int, int], lengths: Tensor | None
) -> Tensor:
    """ReLU(max-pool(batch norm(convolution))) of one channel with the batch's statistics, in ceil mode.

    Equal to the layers one after the other, in outputs and gradients, but for rounding and for the gradient
    of the convolution's bias: batch norm takes the bias out again, and 0 stands for what rounding leaves
    there. The running statistics move on as the layer's would.

    Args:
        x: (B, 1, F, T), needs no gradient; F divisible by pool[0]. Single or double precision, also under
            autocast; on a GPU single.
        conv: 3 x 3, padding 1, with bias.
        norm: in training.
        pool: window in (bins, frames).
        lengths: frames of each item (B,): what lies behind is in no maximum, as zeros would be; None: all.

    Returns: (B, C, F / pool[0], ceil(T / pool[1])), channels last in memory; under a GPU's autocast in its
        precision, which the next block would ask for.
    """
    dtype = conv.weight.dtype
    if x.is_cuda and torch.is_autocast_enabled("cuda"):
        dtype = torch.get_autocast_dtype("cuda")
    with torch.autocast(x.device.type, enabled=False):
        x = x.to(conv.weight.dtype)
        mean, covariance, count = patch_moments(x)
        parts = conv.weight, conv.bias, norm.weight, norm.bias
        out = _ConvNormPoolRelu.apply(x, *parts, mean, covariance, pool, lengths, norm.eps, dtype)
        if norm.track_running_stats:
            _move_running_statistics(conv, norm, mean, covariance, count)
        return out


@torch.no_grad()
def _move_running_statistics(
    conv: nn.Conv2d, norm: nn.BatchNorm2d, mean: Tensor, covariance: Tensor, count: int
) -> None:
    kernel = conv.weight.flatten(1).double()
    of_batch = kernel @ mean + conv.bias
    variance = (kernel @ covariance * kernel).sum(dim=1) * count / max(count - 1, 1)
    norm.num_batches_tracked.add_(1)
    share = norm.momentum  # None: the mean of all batches
    if share is None:
        share = norm.num_batches_tracked.double().reciprocal()
    for running, now in ((norm.running_mean, of_batch), (norm.running_var, variance)):
        running.add_(share * (now.to(running) - running))
