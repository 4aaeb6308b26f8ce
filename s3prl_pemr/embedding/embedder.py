"""An upstream as a function from waveforms to vectors. N: samples, L: frames, D: feature dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from s3prl import hub
from s3prl.upstream.adapter.expert import UpstreamExpert
from torch import Tensor

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.features.identity import file_identity, weights_identity
from s3prl_pemr.features.time_pooling import POOLINGS
from s3prl_pemr.features.waveforms import pad_to, shortest_samples
from s3prl_pemr.loops.device import choose_device

POOLS = ("none", *POOLINGS)
PIECE_SECONDS = 30.0  # of an upstream that is not ours: its attention may be over all frames of a track


@dataclass(frozen=True)
class Wanted:
    """What is wanted of each track.

    Attributes:
        upstream, checkpoint: -u, -k.
        layer: of its hidden states, counted from 0; None: its last.
        pool: how the clip's vector is made; none: the mean, beside all frames.
        every_seconds: frames are averaged over so long; 0: as the upstream has them.
        piece_seconds: tracks are heard in pieces of so long; None: what the upstream can.
    """

    upstream: str = "pemr"
    checkpoint: str | None = None
    layer: int | None = None
    pool: str = "none"
    every_seconds: float = 0.0
    piece_seconds: float | None = None

    def __post_init__(self) -> None:
        if self.pool not in POOLS:
            raise ValueError(f"--pool {self.pool}: not one of {', '.join(POOLS)}")
        if self.every_seconds < 0 or (self.piece_seconds is not None and self.piece_seconds <= 0):
            raise ValueError("--every is at least 0 s, --piece more than 0")


@dataclass(frozen=True)
class Embedded:
    """A track.

    Attributes:
        embedding: float32, (L, D); (0, D) where a pool alone was wanted.
        seconds: where each of them begins, float32, (L,).
        clip: float32, (D,), or (2 D,) of mean_std.
    """

    embedding: np.ndarray
    seconds: np.ndarray
    clip: np.ndarray

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Seconds (L,) and vectors (L, D) for a table: the frames, or the one vector of the clip."""
        if len(self.embedding):
            return self.seconds, self.embedding
        return np.zeros(1, np.float32), self.clip[None]


class Embedder:
    """The upstream, loaded.

    Raises:
        ValueError: one line: no such upstream, checkpoint or layer.
    """

    def __init__(self, wanted: Wanted, device: str | None = None):
        if wanted.upstream not in hub.options():
            listed = "`s3prl-pemr downstream --help` lists them"
            raise ValueError(f"-u {wanted.upstream}: unknown upstream; {listed}")
        if wanted.checkpoint and "://" not in wanted.checkpoint and not Path(wanted.checkpoint).exists():
            raise ValueError(f"-k {wanted.checkpoint}: no such file")
        self.wanted, self.device = wanted, choose_device(device)
        given = {"ckpt": wanted.checkpoint} if wanted.checkpoint else {}
        self.model = getattr(hub, wanted.upstream)(**given).to(self.device).eval()
        self.is_ours = isinstance(self.model, UpstreamExpert)
        # Only ours promise that a frame does not depend on what it is batched with, nor memory on the length.
        pieces = wanted.piece_seconds or (None if self.is_ours else PIECE_SECONDS)
        self.piece_samples = None if pieces is None else round(pieces * SAMPLE_RATE)
        self.rate_samples = int(self.model.get_downsample_rates("hidden_states"))
        self.identity: dict[str, Any] = {
            "upstream": wanted.upstream, "weights": weights_identity(self.model),
            "checkpoint": file_identity(wanted.checkpoint), "layer": wanted.layer, "pool": wanted.pool,
            "every_seconds": wanted.every_seconds, "piece_samples": self.piece_samples,
        }  # fmt: skip

    @torch.no_grad()
    def embed(self, wavs: Sequence[np.ndarray]) -> list[Embedded]:
        """Tracks of 16 kHz, float32, (N,) each; those of our upstreams are heard together."""
        return list(map(self._pooled, self.frames(wavs)))

    @torch.no_grad()
    def frames(self, wavs: Sequence[np.ndarray]) -> list[Tensor]:
        """The frames of each track, (L, D)."""
        groups = [wavs] if self.is_ours and self.piece_samples is None else [[wav] for wav in wavs]
        return [found for group in groups for found in self._frames(group)]

    def _frames(self, wavs: Sequence[np.ndarray]) -> list[Tensor]:
        if self.piece_samples is None:
            return self._heard(wavs)
        step = max(self.piece_samples // self.rate_samples, 1) * self.rate_samples  # whole frames
        return [
            torch.cat([self._piece(wav[at : at + step]) for at in range(0, len(wav), step)]) for wav in wavs
        ]

    def _piece(self, wav: np.ndarray) -> Tensor:
        """Frames of a piece; a window at its end that the upstream leaves out is like the one before."""
        (frames,) = self._heard([wav])
        missing = max(round(len(wav) / self.rate_samples) - len(frames), 0)
        return torch.cat([frames, frames[-1:].expand(missing, -1)])

    def _heard(self, wavs: Sequence[np.ndarray]) -> list[Tensor]:
        """Frames of each, (L, D), without those of the padding."""
        shortest = shortest_samples(self.rate_samples)
        found = self.model([torch.from_numpy(pad_to(wav, shortest)).to(self.device) for wav in wavs])
        states = found["hidden_states"]
        layer = -1 if self.wanted.layer is None else self.wanted.layer
        if not -len(states) <= layer < len(states):
            raise ValueError(f"--layer {layer}: {self.wanted.upstream} has layers 0 to {len(states) - 1}")
        last = found.get("last_hidden_state", states[-1])  # not every upstream of the toolkit names it
        own = last if self.wanted.layer is None else states[layer]
        counts = [max(round(max(len(wav), shortest) / self.rate_samples), 1) for wav in wavs]
        return [frames[:count].float().cpu() for frames, count in zip(own, counts, strict=True)]

    def _pooled(self, frames: Tensor) -> Embedded:
        pool = "mean" if self.wanted.pool == "none" else self.wanted.pool
        clip = POOLINGS[pool]([frames])[0].numpy()
        frame_seconds = self.rate_samples / SAMPLE_RATE
        if self.wanted.pool != "none":
            frames = frames[:0]
        elif self.wanted.every_seconds:
            per = max(round(self.wanted.every_seconds / frame_seconds), 1)
            frames = torch.stack([part.mean(dim=0) for part in frames.split(per)])
            frame_seconds *= per
        seconds = (np.arange(len(frames)) * frame_seconds).astype(np.float32)
        return Embedded(frames.numpy(), seconds, clip)


def batches(tracks: Sequence[int], most: int, most_samples: int) -> list[list[int]]:
    """Neighbours by length put together: places in `tracks`, whose lengths in samples these are.

    Args:
        most: of a batch.
        most_samples: of a batch with its padding; a longer track is alone.
    """
    found: list[list[int]] = []
    for place in sorted(range(len(tracks)), key=lambda place: tracks[place]):
        fits = found and len(found[-1]) < most and (len(found[-1]) + 1) * tracks[place] <= most_samples
        if fits:
            found[-1].append(place)
        else:
            found.append([place])
    return found
