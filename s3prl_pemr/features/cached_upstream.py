"""An upstream whose features come from the cache where it has them. B: clips, T: frames, D: width."""

from __future__ import annotations

from collections.abc import Callable

import torch
import xxhash
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from .cache import FeatureFiles


class CachedUpstream(nn.Module):
    """Stands in for a frozen upstream and gives its features from the files, or computes and keeps them.

    A clip that is not there yet is computed alone: its features are then those of no particular batch (some
    of the toolkit's upstreams, `mel` for one, let a shorter clip see the padding behind it).
    """

    def __init__(self, upstream: nn.Module, files: FeatureFiles, selection: str, pool: Callable | None):
        """Put the cache before an upstream.

        Args:
            upstream: frozen, in eval mode.
            files: where features are kept.
            selection: their key in the upstream's output (-s).
            pool: makes of a clip's (T, D) what is kept; None keeps all.
        """
        super().__init__()
        self.upstream, self.files, self.selection, self.pool = upstream, files, selection, pool
        self.hits = self.misses = 0

    def forward(self, wavs: list[Tensor]) -> dict[str, Tensor | list[Tensor]]:
        """1-D waveforms -> {selection: one (B, T, D) or a list of them}, zero behind the shorter clips."""
        clips = [self._layers(wav) for wav in wavs]
        padded = [pad_sequence(list(layer), batch_first=True) for layer in zip(*clips, strict=True)]
        return {self.selection: padded if len(padded) > 1 else padded[0]}

    def _layers(self, wav: Tensor) -> list[Tensor]:
        key = xxhash.xxh3_128_hexdigest(wav.cpu().contiguous().numpy())
        layers = self.files.read(key)
        if layers is None:
            self.misses += 1
            layers = [layer.float().cpu().numpy() for layer in self._compute(wav)]
            self.files.write(key, layers)
        else:
            self.hits += 1
        return [torch.from_numpy(layer).to(wav.device) for layer in layers]

    def _compute(self, wav: Tensor) -> list[Tensor]:
        features = self.upstream([wav])[self.selection]
        if isinstance(features, dict):
            features = list(features.values())
        layers = [layer[0] for layer in (features if isinstance(features, list | tuple) else [features])]
        return [self.pool(layer, len(wav)) for layer in layers] if self.pool else layers


def mean_of_own_frames(downsample_rate: int) -> Callable[[Tensor, int], Tensor]:
    """The time mean that a mean-pooling task would take: of the frames that the Featurizer leaves a clip.

    s3prl/upstream/interfaces.py:252 keeps round(samples / rate) of them; the sum over layers and the mean
    over frames are both linear, so their order does not matter.

    Returns: (T, D), samples -> (1, D).
    """

    def pool(layer: Tensor, samples: int) -> Tensor:
        frames = max(1, round(samples / downsample_rate))
        return layer[:frames].mean(dim=0, keepdim=True)

    return pool
