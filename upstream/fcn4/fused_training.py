"""The encoder's first block in training: convolution, batch norm, pooling and ReLU without the block's map.

With one input channel nothing of the 64 x 128 x frames map has to be written. The batch's mean and variance
of a convolution follow exactly from the mean and the 9 x 9 covariance of its 3 x 3 patches; an affine map of
a channel keeps the order of its values, or turns it round where its scale is negative, so that the maximum
over a window can be taken of the bare products; and the backward pass needs the winners' places and those
moments alone. B: clips, C: channels, F: mel bins, T: log-mel frames, N: windows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .fused_block import window_kernels, windows

ROWS = 2_048  # windows at a time: their products and gradients of 64 channels stay in a cache
TAPS = 9


def patch_moments(x: Tensor) -> tuple[Tensor, Tensor, int]:
    """Mean (9,) and biased covariance (9, 9), in float64, of all zero-padded 3 x 3 patches, and their number.

    Args: x: (B, 1, F, T).
    """
    total, products = x.new_zeros(TAPS, dtype=torch.float64), x.new_zeros(TAPS, TAPS, dtype=torch.float64)
    for item in x.split(1):  # a clip's patches fit a cache, and its sums float32
        patches = F.unfold(item, 3, padding=1)[0]  # (9, F * T)
        total += patches.sum(dim=1)
        products += patches @ patches.T
    count = x.numel()
    mean = total / count
    return mean, products / count - mean[:, None] * mean, count


class _ConvNormPoolRelu(torch.autograd.Function):
    """See `conv_norm_pool_relu`; the gradient of the batch statistics is in closed form."""

    @staticmethod
    def forward(ctx, x, weight, bias, scale, shift, mean, covariance, count, pool, lengths, eps):
        kernel = weight.flatten(1)  # (C, 9)
        variance = (kernel.double() @ covariance * kernel.double()).sum(dim=1).clamp(min=0)
        inverse = (variance + eps).rsqrt()
        sign = torch.where(scale < 0, -1, 1).to(weight)
        rows, shape = windows(x, pool, lengths)
        best = rows.new_empty(len(rows), len(weight))  # sign * product of the winner, then the output
        winner = torch.zeros(best.shape, dtype=torch.uint8, device=x.device)
        kernels = window_kernels(weight[:, 0] * sign[:, None, None], *pool)
        product = rows.new_empty(min(ROWS, len(rows)), len(weight))
        for block, maximum, place in zip(rows.split(ROWS), best.split(ROWS), winner.split(ROWS), strict=True):
            torch.mm(block, kernels[0], out=maximum)
            own = product[: len(block)]
            for number, candidate in enumerate(kernels[1:], start=1):
                torch.mm(block, candidate, out=own)
                better = (own > maximum).view(torch.uint8).mul_(number)
                torch.maximum(place, better, out=place)  # numbers rise: the last better one is the largest
                torch.maximum(maximum, own, out=maximum)
        # relu(scale * (product - its mean) / deviation + shift)
        slope = (scale.double() * inverse).abs().to(best)
        offset = (shift.double() - scale.double() * inverse * (kernel.double() @ mean)).to(best)
        for block in best.split(ROWS):
            block.mul_(slope).add_(offset).relu_()
        ctx.pool, ctx.count = pool, count
        ctx.save_for_backward(rows, winner, best, weight, scale, shift, inverse, mean, covariance)
        return best.unflatten(0, shape).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, gradient):
        rows, winner, output, weight, scale, shift, inverse, mean, covariance = ctx.saved_tensors
        gradient = gradient.permute(0, 2, 3, 1).reshape(output.shape)
        bins, frames = ctx.pool
        wide = rows.shape[1]
        channels = len(weight)
        of_shift = rows.new_zeros(channels)
        of_windows = [rows.new_zeros(channels, wide) for _ in range(bins * frames)]
        parts = (part.split(ROWS) for part in (rows, winner, output, gradient))
        for block, place, out, passed in zip(*parts, strict=True):
            live = torch.where(out > 0, passed, 0)
            of_shift += live.sum(dim=0)
            for number, into in enumerate(of_windows):
                into.addmm_((live * (place == number)).T, block)
        of_winners = rows.new_zeros(
            channels, 3, 3, dtype=torch.float64
        )  # sum of gradient times winning patch
        for number, summed in enumerate(of_windows):
            bin_, frame = divmod(number, frames)
            taps = summed[:, : (bins + 2) * (frames + 2)].unflatten(1, (bins + 2, frames + 2))
            of_winners += taps[:, bin_ : bin_ + 3, frame : frame + 3]
        of_winners = of_winners.flatten(1)
        of_shift = of_shift.double()
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
            autocast.
        conv: 3 x 3, padding 1, with bias.
        norm: in training.
        pool: window in (bins, frames).
        lengths: frames of each item (B,): what lies behind is in no maximum, as zeros would be; None: all.

    Returns: (B, C, F / pool[0], ceil(T / pool[1])), channels last in memory.
    """
    with torch.autocast(x.device.type, enabled=False):
        x = x.to(conv.weight.dtype)
        mean, covariance, count = patch_moments(x)
        parts = conv.weight, conv.bias, norm.weight, norm.bias
        out = _ConvNormPoolRelu.apply(x, *parts, mean, covariance, count, pool, lengths, norm.eps)
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
