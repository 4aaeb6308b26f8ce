"""Frame transformer (paper 3.3). B: clips, L: frames, D: width (mel bins), H: heads, each of width D."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from s3prl.upstream.adapter.constant_result import constant_result
from s3prl.upstream.adapter.full_precision import HALVES
from torch import Tensor, nn


def attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Eq. 1: softmax(Q K^T / sqrt(D)) V, written out; the reference of the fused kernel used below.

    Args:
        query: (..., M, D); key, value: (..., L, D).

    Returns: (..., M, D).
    """
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return scores.softmax(dim=-1) @ value


def _attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Eq. 1 by the fused kernel, whose scale is 1 / sqrt(D) too; on a CPU in half precision it is slower."""
    if query.device.type == "cpu" and query.dtype in HALVES:
        return attention(query, key, value)
    return F.scaled_dot_product_attention(query, key, value)


@lru_cache(maxsize=8)
def sinusoidal_positions(length: int, width: int, device: torch.device | None = None) -> Tensor:
    """Position embedding of Vaswani et al. (the paper's [36]), section 3.5: (length, width), float32.

    Kept for the last few lengths: the mask pass and the prediction ask for the same one every step.
    """
    position = torch.arange(length, dtype=torch.float64)[:, None]
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(10_000.0) / width))
    table = torch.zeros(length, width, dtype=torch.float64)
    table[:, 0::2] = torch.sin(position * rate)
    table[:, 1::2] = torch.cos(position * rate[: width // 2])
    return table.float().to(device)


@constant_result
def _positions(length: int, width: int, device: torch.device) -> Tensor:
    """The kept table, which a compiler takes as it is."""
    return sinusoidal_positions(length, width, device)


class MultiHeadAttention(nn.Module):
    """Eq. 1 and Eq. 2: H heads of width D each (W_Q, W_K, W_V are D x D per head), output HD x D, no bias."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.width, self.heads = width, heads
        self.query = nn.Linear(width, heads * width, bias=False)
        self.key = nn.Linear(width, heads * width, bias=False)
        self.value = nn.Linear(width, heads * width, bias=False)
        self.output = nn.Linear(heads * width, width, bias=False)

    def split_heads(self, x: Tensor) -> Tensor:
        """(B, L, H * D) -> (B, H, L, D)."""
        return x.unflatten(-1, (self.heads, self.width)).transpose(1, 2)

    def forward(self, x: Tensor, rows: int | None = None) -> Tensor:
        """(B, L, D) -> (B, rows, D): only the first `rows` positions are computed, all where None."""
        query = self.split_heads(self.query(x[:, :rows]))
        key, value = self.split_heads(self.key(x)), self.split_heads(self.value(x))
        heads = _attention(query, key, value)
        return self.output(heads.transpose(1, 2).flatten(2))  # Eq. 2


class FeedForward(nn.Module):
    """Eq. 3: ReLU(Y W_1 + b_1) W_2 + b_2, both D x D."""

    def __init__(self, width: int):
        super().__init__()
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)

    def forward(self, y: Tensor) -> Tensor:
        """(..., D) -> (..., D)."""
        return self.outer(F.relu(self.inner(y)))


class TransformerLayer(nn.Module):
    """Attention and feed-forward, each followed by residual and LayerNorm (the paper's [36])."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.attention = MultiHeadAttention(width, heads)
        self.attention_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width)
        self.feed_forward_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, rows: int | None = None) -> Tensor:
        """(B, L, D) -> (B, rows, D), of the first `rows` positions, all where None."""
        y = self.attention_norm(x[:, :rows] + self.attention(x, rows))
        return self.feed_forward_norm(y + self.feed_forward(y))


class FrameTransformer(nn.Module):
    """Learnable [CLS] before the frames, sinusoidal positions, post-norm layers; no dropout."""

    def __init__(self, width: int, layers: int, heads: int, frame_scale: str = "sqrt_d"):
        """Args: frame_scale: see `tokens`; "1" for checkpoints of versions up to 0.1."""
        super().__init__()
        self.scale = math.sqrt(width) if frame_scale == "sqrt_d" else 1.0
        self.cls = nn.Parameter(torch.randn(width) * 0.02)  # BERT's initial deviation
        self.layers = nn.ModuleList(TransformerLayer(width, heads) for _ in range(layers))

    def tokens(self, frames: Tensor) -> Tensor:
        """Frames (B, L, D) -> [CLS] and frames with their positions, (B, L + 1, D).

        Multiplied by sqrt(D) before the positions are added, as in Vaswani et al. (the paper's [36]), 3.4:
        with frames no larger than positions, the masks of Eq. 5 follow the place in the crop, not the music.
        """
        batch, length, width = frames.shape
        tokens = torch.cat([self.cls.expand(batch, 1, width), frames], dim=1)
        if self.scale != 1.0:
            tokens = tokens * self.scale
        return tokens + _positions(length + 1, width, frames.device).to(frames.dtype)

    def forward(self, frames: Tensor) -> Tensor:
        """Frames (B, L, D) -> contextual states (B, L + 1, D), [CLS] first."""
        x = self.tokens(frames)
        for layer in self.layers:
            x = layer(x)
        return x

    def _last_attention(self) -> MultiHeadAttention:
        attention = self.layers[-1].attention
        assert isinstance(attention, MultiHeadAttention)
        return attention

    def cls_query(self, frames: Tensor) -> Tensor:
        """Last layer's query of [CLS], (B, H, D), from frames (B, L, D).

        The layer below has to be computed for [CLS] alone: less than half the cost of `forward`.
        """
        x = self.tokens(frames)
        for layer in self.layers[:-2]:
            x = layer(x)
        last = self._last_attention()
        return last.split_heads(last.query(self.layers[-2](x, rows=1)))[:, :, 0]

    def cls_query_and_frame_keys(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Last layer's query of [CLS] (B, H, D) and keys of the frames (B, H, L, D)."""
        x = self.tokens(frames)
        for layer in self.layers[:-1]:
            x = layer(x)
        last = self._last_attention()
        query = last.split_heads(last.query(x[:, :1]))[:, :, 0]
        return query, last.split_heads(last.key(x[:, 1:]))
