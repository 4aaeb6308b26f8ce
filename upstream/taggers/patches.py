"""Networks over a fixed duration. B: clips, N: samples, T': patches of a clip, P: patches, D: values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
import torch.nn.functional as F
from s3prl.upstream.adapter.shared_model import SharedModel
from torch import Tensor, nn


class PatchNetwork(nn.Module, SharedModel):
    """Cuts clips into consecutive patches and gives each patch one frame; subclasses embed a patch.

    A clip of N samples has ceil(N / patch_samples) patches. The last one, and a clip that is shorter than a
    patch, ends in zeros. (s3prl's Featurizer then keeps round(N / patch_samples) frames: a last patch of
    which less than half is music does not count.)
    """

    sample_rate = 16_000
    patch_samples: int
    output_dim: int
    patches_at_once = 8  # embedded together in eval mode: bounds memory, changes nothing

    @classmethod
    def from_config(cls, config: Any) -> PatchNetwork:
        """With random weights, from a `Config`."""
        return cls(**asdict(config))

    @property
    def samples_per_frame(self) -> int:
        """A frame is a patch."""
        return self.patch_samples

    def embed(self, patches: Tensor) -> Tensor:
        """(P, patch_samples) -> (P, output_dim)."""
        raise NotImplementedError

    def forward(self, wavs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Waveforms at 16 kHz -> frames (B, ceil(N / patch_samples), output_dim).

        A patch behind a clip's end is not embedded (so it enters no batch statistics): its frame is zero.

        Args:
            wavs: (B, N), zero behind each item's end.
            lengths: samples of each item, (B,); None where all have N.
        """
        total = -(-wavs.shape[1] // self.patch_samples)
        padded = F.pad(wavs, (0, total * self.patch_samples - wavs.shape[1]))
        patches = padded.reshape(len(wavs), total, self.patch_samples)
        heard = torch.ones(len(wavs), total, dtype=torch.bool, device=wavs.device)
        if lengths is not None:
            starts = torch.arange(total, device=wavs.device) * self.patch_samples
            heard = starts < lengths[:, None].to(wavs.device)
        chosen = patches[heard]
        at_once = len(chosen) if self.training else self.patches_at_once
        embedded = torch.cat([self.embed(some) for some in chosen.split(at_once)])
        frames = embedded.new_zeros(len(wavs), total, self.output_dim)
        frames[heard] = embedded
        return frames


class BatchNorm1d(nn.BatchNorm1d):
    """Batch norm that also takes a lone value per channel in training: by the running statistics.

    The last batch of an epoch can be one clip, and torch refuses to normalise one value by itself.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(P, C) or (P, C, L) -> the same shape."""
        if self.training and x.numel() == x.shape[1]:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(x)
