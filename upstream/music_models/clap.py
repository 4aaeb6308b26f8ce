"""CLAP's audio tower, learned from pairs of sound and text. B: clips, N: samples, T: frames, D: width.

Wu et al., "Large-scale contrastive language-audio pretraining with feature fusion and keyword-to-caption
augmentation", ICASSP 2023; the form is transformers' ClapModel.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .extractor import heard
from .folder import CONFIG, PREPROCESSOR, load, read_settings, require
from .resampling import FullPrecisionResample

RATE_HZ = 48_000
FRAMES = 32  # of 10 s


class CLAP(nn.Module):
    """Frames of 5,000 samples (0.31 s) of the last layer, the mean over its bands.

    Tried with small random models alone, not with published weights (laion/clap-htsat-unfused, -fused,
    larger_clap_music).
    """

    samples_per_frame = 5_000
    longest_samples = 160_000  # 10 s: all that the model hears at a time

    def __init__(self, folder: Path):
        """Load a folder. Raises ValueError (one line): no such model, or one of another form."""
        from transformers import ClapAudioModelWithProjection, ClapFeatureExtractor

        super().__init__()
        require(folder, read_settings(folder), {"model_type": "clap"}, "not a CLAP")
        banks = read_settings(folder, PREPROCESSOR)
        why = "clap_local hears 10 s of 48 kHz at a time"
        require(folder, banks, {"sampling_rate": RATE_HZ, "max_length_s": 10}, why)
        self.extractor = ClapFeatureExtractor.from_pretrained(folder)
        self.resample = FullPrecisionResample(RATE_HZ)
        model: Any = load(ClapAudioModelWithProjection, folder)
        self.network = model.audio_model
        self.folder = folder

    def forward(self, wavs: Tensor) -> dict[str, list[Tensor]]:
        """(B, N) -> `hidden_states`: one layer, (B, T, D).

        What is shorter than 10 s is repeated to its end, as in pretraining; repetitions have no frames here.
        Raises ValueError (one line) for a folder whose network has other frames.
        """
        inputs = heard(self.extractor, self.resample(wavs.float()), RATE_HZ)["input_features"]
        # The extractor marks one clip by chance as a long one; none is.
        longer = torch.zeros(len(wavs), 1, dtype=torch.bool, device=wavs.device)
        dtype = next(self.network.parameters()).dtype
        layer = self.network(inputs.to(dtype), is_longer=longer).last_hidden_state.mean(dim=2)  # (B, D, 32)
        if layer.shape[-1] != FRAMES:
            raise ValueError(f"{self.folder / CONFIG}: {layer.shape[-1]} frames of 10 s, CLAP has {FRAMES}")
        frames = -(-wavs.shape[1] // self.samples_per_frame)
        return {"hidden_states": [layer.transpose(1, 2)[:, :frames]]}
