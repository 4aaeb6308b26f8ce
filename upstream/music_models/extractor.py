"""What a model hears of a waveform, by the feature extractor that lies in its folder."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def heard(extractor: Any, wavs: Tensor, rate_hz: int, **settings: Any) -> dict[str, Tensor]:
    """Waveforms (B, N) -> what transformers' extractor makes of them, on their device. Without gradients.

    Args:
        rate_hz: of the waveforms, which has to be the extractor's.
        settings: for the extractor.
    """
    clips = list(wavs.detach().float().cpu().numpy())
    found = extractor(clips, sampling_rate=rate_hz, return_tensors="pt", **settings)
    return {name: value.to(wavs.device) for name, value in found.items()}
