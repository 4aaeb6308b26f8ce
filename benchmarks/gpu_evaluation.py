"""What `gpu.py` measures beside pretraining: features of whole clips, and the CQT of tracks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from s3prl import hub
from s3prl.downstream.cover_song.cqt.on_device import DeviceCqt
from s3prl.downstream.cover_song.cqt.transform import cqt_columns
from sides import in_turns

from s3prl_pemr.features.half_precision import HalfPrecision

RATE, CLIP_SECONDS, TRACK_SECONDS = 16_000, 29.1, 200.0


def features(device: str, clips: int, rounds: int) -> dict[str, float]:
    """Clips a second of a frozen `-u pemr`: each alone, together, and together in bfloat16."""
    upstream = hub.pemr().to(device).eval()
    half = HalfPrecision(upstream)
    wavs = [0.1 * torch.randn(round(CLIP_SECONDS * RATE), device=device) for _ in range(clips)]

    def of(call: Callable[[], object]) -> Callable[[], object]:
        return torch.no_grad()(call)

    ways = {
        "alone": of(lambda: [upstream([wav]) for wav in wavs]),
        "together": of(lambda: upstream(wavs)),
        "together, bf16": of(lambda: half(wavs)),
    }
    return {name: clips / seconds for name, seconds in in_turns(ways, rounds).items()}


def cqt(device: str, rounds: int, seconds: float = TRACK_SECONDS) -> dict[str, float]:
    """Tracks a second: librosa on a core, and on the device; how well they agree."""
    wav = 0.1 * torch.randn(round(seconds * RATE)).numpy()
    on_device = DeviceCqt(device)
    ways = {"librosa": lambda: cqt_columns(wav), "device": lambda: on_device(wav)}
    found = {name: 1 / taken for name, taken in in_turns(ways, rounds).items()}
    both = torch.stack([torch.from_numpy(call()).flatten() for call in ways.values()])
    return found | {"correlation": torch.corrcoef(both)[0, 1].item()}
