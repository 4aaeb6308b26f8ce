"""An upstream whose features come from the cache where it has them. B: clips, T: frames, D: width."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
import xxhash
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from .cache import FeatureFiles


class CachedUpstream(nn.Module):
    """Stands in for a frozen upstream and gives its features from the files, or computes and keeps them.

    A clip that is not there yet is computed alone: its features are then those of no particular batch (some
    of the toolkit's upstreams, `mel` for one, let a shorter clip see the padding behind it). Ours, whose
    clips do not see each other, hear a batch's on a GPU together.
    """

    def __init__(self, upstream: nn.Module, files: FeatureFiles, selection: str, pool: Callable | None,
                 frame_samples: int = 0):  # fmt: skip
        """Put the cache before an upstream.

        Args:
            upstream: frozen, in eval mode.
            files: where features are kept.
            selection: their key in the upstream's output (-s).
            pool: makes of a clip's (T, D) what is kept; None keeps all.
            frame_samples: of an upstream that hears all of a batch's clips at once that are not there yet,
                how long its frames are, the last one's zeros included; 0: it hears them one by one.
        """
        super().__init__()
        self.upstream, self.files, self.selection, self.pool = upstream, files, selection, pool
        self.frame_samples = frame_samples
        self.hits = self.misses = 0
        self.before_computing: Callable[[], object] = lambda: None  # may end the program

    def forward(self, wavs: list[Tensor]) -> dict[str, Tensor | list[Tensor]]:
        """1-D waveforms -> {selection: one (B, T, D) or a list of them}, zero behind the shorter clips."""
        keys = [xxhash.xxh3_128_hexdigest(wav.cpu().contiguous().numpy()) for wav in wavs]
        clips = [self.files.read(key) for key in keys]
        missing = [place for place, layers in enumerate(clips) if layers is None]
        self.hits, self.misses = self.hits + len(wavs) - len(missing), self.misses + len(missing)
        for group in [missing] if self.frame_samples and missing else [[place] for place in missing]:
            self.before_computing()
            for place, layers in zip(group, self._compute([wavs[place] for place in group]), strict=True):
                clips[place] = [layer.float().cpu().numpy() for layer in layers]
                self.files.write(keys[place], clips[place])
        device = wavs[0].device
        padded = [
            pad_sequence([torch.from_numpy(clip).to(device) for clip in layer], batch_first=True)
            for layer in zip(*clips, strict=True)
        ]
        return {self.selection: padded if len(padded) > 1 else padded[0]}

    def _compute(self, wavs: list[Tensor]) -> Iterator[list[Tensor]]:
        """The layers of each, (T, D), pooled."""
        features = self.upstream(wavs)[self.selection]
        if isinstance(features, dict):
            features = list(features.values())
        layers = list(features) if isinstance(features, list | tuple) else [features]
        for place, wav in enumerate(wavs):
            count = math.ceil(len(wav) / self.frame_samples) if self.frame_samples else None
            own = [layer[place, :count] for layer in layers]
            yield [self.pool(frames, len(wav)) for frames in own] if self.pool else own


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
