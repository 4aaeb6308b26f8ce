"""MERT: a HuBERT that heard music at 24 kHz, without its repository's code. B: clips, N: samples, T: frames.

Li et al., "MERT: Acoustic Music Understanding Model with Large-Scale Self-supervised Training", ICLR 2024.
Its published modeling_MERT.py is transformers' HubertModel where neither a CQT is put beside the convolutions
nor DeepNorm scales the residuals; `attention_relax` is used with DeepNorm alone, and changes no softmax.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from .folder import CONFIG, PREPROCESSOR, load, read_settings, require
from .resampling import FullPrecisionResample

RATE_HZ = 24_000
HOP_SAMPLES = 320  # at 24 kHz: 75 frames a second
AVERAGED = 3  # of them are one of ours: a Featurizer wants whole samples at 16 kHz
# Of config.json, but not of transformers' HubertConfig.
FOREIGN = ("model_type", "architectures", "auto_map", "transformers_version", "dtype", "torch_dtype")


class MERT(nn.Module):
    """Frames of 640 samples at 16 kHz (40 ms), of 3 of its own averaged; all layers.

    Tried with small random models alone, not with the published weights: those of the 95M and 330M models are
    in this form by their config.json and modeling_MERT.py.
    """

    samples_per_frame = 640
    longest_samples = 480_000  # 30 s; what attention makes of longer clips was never pretrained

    def __init__(self, folder: Path):
        """Load a folder. Raises ValueError (one line): no such model, or one that is not a plain HuBERT."""
        from transformers import HubertConfig, HubertModel

        super().__init__()
        settings, heard = read_settings(folder), read_settings(folder, PREPROCESSOR)
        for key in ("feature_extractor_cqt", "deepnorm"):
            require(folder, settings, {key: False}, "mert_local has the plain HuBERT of MERT-v1 alone")
        remedy = "mert_local hears 24 kHz; hf_hubert_custom is for 16 kHz"
        require(folder, settings, {"sample_rate": RATE_HZ}, remedy)
        require(folder, heard, {"sampling_rate": RATE_HZ}, remedy)
        if "sample_rate" not in settings and "sampling_rate" not in heard:
            raise ValueError(f"{folder / CONFIG}: no sample_rate, so not of MERT; {remedy}")
        config = HubertConfig(**{key: value for key, value in settings.items() if key not in FOREIGN})
        # With -f: all frames are heard, by all layers.
        config.apply_spec_augment, config.layerdrop = False, 0.0
        hop = config.inputs_to_logits_ratio
        if hop != HOP_SAMPLES:
            raise ValueError(f"{folder / CONFIG}: frames of {hop} samples, MERT has {HOP_SAMPLES}")
        self.normalise = bool(heard.get("do_normalize", True))
        self.resample = FullPrecisionResample(RATE_HZ)
        self.network = load(HubertModel, folder, config=config)

    def forward(self, wavs: Tensor) -> dict[str, list[Tensor]]:
        """(B, N) -> `hidden_states`: what goes into the first layer, then every layer, (B, T, D) each."""
        heard = self.resample(wavs.float())
        if self.normalise:
            heard = normalised(heard)
        found: Any = self.network(heard.to(self.network.dtype), output_hidden_states=True)
        # The last layer as the model gives it, which where layers normalise first is not what it left.
        layers = [*found.hidden_states[:-1], found.last_hidden_state]
        return {"hidden_states": [average_frames(layer) for layer in layers]}


def normalised(wavs: Tensor) -> Tensor:
    """(B, N) -> each clip's mean 0, deviation 1: transformers' Wav2Vec2FeatureExtractor with do_normalize."""
    return F.layer_norm(wavs, wavs.shape[-1:], eps=1e-7)


def average_frames(layer: Tensor) -> Tensor:
    """Means of AVERAGED frames, the last of what is left: (B, T, D) -> (B, ceil(T / AVERAGED), D)."""
    return F.avg_pool1d(layer.transpose(1, 2), AVERAGED, ceil_mode=True).transpose(1, 2)
