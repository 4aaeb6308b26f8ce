"""FCN-4 encoder (paper 3.5). B: clips, T: log-mel frames, F: mel bins, C: channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from s3prl.upstream.adapter.full_precision import HALVES
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from .fused_block import conv_pool_relu
from .fused_training import conv_norm_pool_relu, fits

POOLS = ((2, 4), (2, 4), (2, 4), (4, 2))  # (frequency, time) of each block; our choice, gives 512-d
POOLED_BINS = math.prod(pool[0] for pool in POOLS)  # 32
POOLED_FRAMES = math.prod(pool[1] for pool in POOLS)  # 128 log-mel frames to one output frame


class Block(nn.Module):
    """Convolution 3 x 3 with bias, batch norm, ReLU, max-pool."""

    def __init__(self, inputs: int, outputs: int, pool: tuple[int, int]):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)
        self.norm = nn.BatchNorm2d(outputs)
        self.pool = pool

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(B, C, F, T) -> (B, C', F / pool, ceil(T / pool)); what lies behind `lengths` (B,) becomes zero.

        Behind an item's end the padded zeros have gone through bias and batch norm: they are set to zero
        again before they can leak into the item through the next convolution. What comes out is never
        negative, so the zeros do not change a window that straddles the end. ReLU and maximum commute: the
        one that comes second works on an eighth of the values.
        """
        if self._fits_fused(x):
            if self.norm.training:
                return conv_norm_pool_relu(x, self.conv, self.norm, self.pool, lengths)
            with torch.autocast(x.device.type, enabled=False):
                return conv_pool_relu(x, *self._folded(), self.pool, lengths)
        x = self._normalised(x)
        if lengths is not None:
            inside = torch.arange(x.shape[-1], device=x.device) < lengths[:, None]
            x = x * inside[:, None, None, :]
        return F.relu(F.max_pool2d(x, self.pool, ceil_mode=True))

    def _fits_fused(self, x: Tensor) -> bool:
        whole = x.shape[1] == 1 and x.shape[2] % self.pool[0] == 0
        if self.norm.training:  # a synchronised batch norm has other statistics
            own = type(self.norm) is nn.BatchNorm2d and not x.requires_grad
            return whole and own and fits(x)
        # half precision cannot hold fused_block.py's BEHIND
        if not whole or x.device.type != "cpu" or x.dtype in HALVES:
            return False
        return not (self.training or torch.is_grad_enabled())

    def _normalised(self, x: Tensor) -> Tensor:
        if self.training or torch.is_grad_enabled():
            return self.norm(self.conv(x))
        return F.conv2d(x, *self._folded(), padding=1)

    def _folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the convolution with the batch norm in them, one pass over memory less."""
        conv, norm = self.conv, self.norm
        parts = [conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.weight, norm.bias]
        if conv.weight.dtype in HALVES:
            parts = [part.float() for part in parts]
        weight, bias, mean, variance, scale, shift = parts
        folded = fuse_conv_bn_weights(weight, bias, mean, variance, norm.eps, scale, shift)
        weight, bias = (part.to(conv.weight.dtype) for part in folded)
        return weight, bias


class FCN4(nn.Module):
    """Choi et al.'s fully convolutional network with 4 layers; 370,560 parameters, frames of 512 values.

    ceil_mode keeps the last, partly filled window: ceil(T / 128) frames for any T >= 1. The count is that
    of the paper's Table 2 (64-128-128-128 channels, convolutions with bias, batch norm, no output layer).
    """

    def __init__(self, channels: Sequence[int] = (64, 128, 128, 128)):
        super().__init__()
        inputs = [1, *channels[:-1]]
        self.blocks = nn.ModuleList(Block(*sizes) for sizes in zip(inputs, channels, POOLS, strict=True))
        self.channels = channels[-1]
        self.to(memory_format=torch.channels_last)  # 1.2 times as fast on CPU, and what CUDA's kernels prefer

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights, and of the frames that come out (but for autocast)."""
        return next(self.parameters()).dtype

    def output_dim(self, n_mels: int) -> int:
        """Values in a frame: channels times the bands left of n_mels bins."""
        return self.channels * math.ceil(n_mels / POOLED_BINS)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Normalised log-mel (B, T, F) -> (B, ceil(T / 128), output_dim).

        Args:
            frames: zero behind an item's end; cast to the weights' precision.
            lengths: log-mel frames of each item (B,), None where all have T.
        """
        x = frames.transpose(1, 2)[:, None].to(self.dtype)  # (B, 1, F, T)
        for block, (_, pool_frames) in zip(self.blocks, POOLS, strict=True):
            x = block(x, lengths)
            if lengths is not None:
                lengths = (lengths + pool_frames - 1) // pool_frames
        return x.flatten(1, 2).transpose(1, 2)  # (B, C * F', T') -> (B, T', C * F')


@contextmanager
def frozen_running_statistics(module: nn.Module):
    """Normalise with the batch's statistics but leave those that evaluation uses as they are.

    The negative view is nine tenths zeros: its statistics are not those of music.
    """
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    tracked = [norm.track_running_stats for norm in norms]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm, value in zip(norms, tracked, strict=True):
            norm.track_running_stats = value
