"""AST: a transformer on patches of the log-mel spectrogram. B: clips, N: samples, T: frames, D: width.

Gong et al., "AST: Audio Spectrogram Transformer", Interspeech 2021; the form is transformers' ASTModel.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from .extractor import heard
from .folder import CONFIG, PREPROCESSOR, load, read_settings, require
from .resampling import SAMPLE_RATE

HOP_SAMPLES = 160  # of Kaldi's filter banks: 10 ms
WINDOW_SAMPLES = 400
SPECIAL_TOKENS = 2  # [CLS] and the distillation token, before the patches


class AST(nn.Module):
    """Frames of 1,600 samples (100 ms): the mean over the frequency patches of each time; all layers.

    Tried with small random models alone, not with published weights (MIT/ast-finetuned-audioset-...).
    """

    def __init__(self, folder: Path):
        """Load a folder. Raises ValueError (one line): no such model, or one of another form."""
        from transformers import ASTConfig, ASTFeatureExtractor, ASTModel

        super().__init__()
        settings, banks = read_settings(folder), read_settings(folder, PREPROCESSOR)
        require(folder, settings, {"model_type": "audio-spectrogram-transformer"}, "not an AST")
        require(folder, banks, {"sampling_rate": SAMPLE_RATE}, "ast_local hears 16 kHz")
        config = ASTConfig.from_pretrained(folder)
        same = {"num_mel_bins": config.num_mel_bins, "max_length": config.max_length}
        require(folder, banks, same, f"{PREPROCESSOR} and {CONFIG} differ")
        self.extractor = ASTFeatureExtractor.from_pretrained(folder)
        self.samples_per_frame = HOP_SAMPLES * config.time_stride
        self.bands = (config.num_mel_bins - config.patch_size) // config.frequency_stride + 1
        self.times = (config.max_length - config.patch_size) // config.time_stride + 1
        self.longest_samples = self.samples_per_frame * self.times
        if (self.longest_samples - WINDOW_SAMPLES) // HOP_SAMPLES + 1 > config.max_length:
            raise ValueError(f"{folder / CONFIG}: max_length {config.max_length} ends within a patch")
        self.network = load(ASTModel, folder)

    def forward(self, wavs: Tensor) -> dict[str, list[Tensor]]:
        """(B, N) -> `hidden_states`: what goes into the first layer, then every layer, (B, T, D) each.

        What is shorter than `longest_samples` ends in silence, as in pretraining, which has no frames here.
        """
        inputs = heard(self.extractor, wavs, SAMPLE_RATE)["input_values"].to(self.network.dtype)
        found: Any = self.network(inputs, output_hidden_states=True)
        frames = -(-wavs.shape[1] // self.samples_per_frame)
        # The last layer as the model gives it, normalised, which is not what it left.
        layers = [*found.hidden_states[:-1], found.last_hidden_state]
        return {"hidden_states": [self._over_bands(layer)[:, :frames] for layer in layers]}

    def _over_bands(self, tokens: Tensor) -> Tensor:
        """(B, SPECIAL_TOKENS + bands x times, D) -> (B, times, D)."""
        return tokens[:, SPECIAL_TOKENS:].unflatten(1, (self.bands, self.times)).mean(dim=1)
