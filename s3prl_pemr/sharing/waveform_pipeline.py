"""Transformers' pipeline("feature-extraction") for what hears waveforms, beside what reads text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import FeatureExtractionPipeline

from s3prl_pemr.audio import UnreadableAudio, read_audio

from .transformers_model import PemrModel

TASK = "feature-extraction"


class WaveformFeatures(FeatureExtractionPipeline):
    """A waveform or audio file -> nested list (1, frames, D), or a tensor with `return_tensors=True`.

    Of another model than ours it is transformers' own pipeline.
    """

    _load_tokenizer = None  # None: where there is one
    _load_feature_extractor = None

    def preprocess(self, inputs: Any, **tokenize_kwargs: Any) -> Any:
        """Waveform (N,), file's name, or dict of `array` or `raw` and `sampling_rate`, as in transformers.

        Raises:
            ValueError: one line: a file that cannot be read, or what the feature extractor refuses.
        """
        if not isinstance(self.model, PemrModel):
            if self.tokenizer is None:
                raise ValueError(f"{type(self.model).__name__} has no tokenizer that could be loaded")
            return super().preprocess(inputs, **tokenize_kwargs)
        rate = None
        if isinstance(inputs, dict):
            rate, inputs = inputs.get("sampling_rate"), inputs.get("array", inputs.get("raw"))
        if isinstance(inputs, str | Path):
            try:
                inputs = read_audio(Path(inputs))
            except UnreadableAudio as error:
                raise ValueError(f"{inputs}: {error.reason}") from error
        return self.feature_extractor(inputs, sampling_rate=rate, return_tensors="pt")

    def _forward(self, model_inputs: Any) -> Any:
        found = super()._forward(model_inputs)
        if not isinstance(self.model, PemrModel):
            return found
        counts = self.model.frame_counts(model_inputs["attention_mask"].sum(dim=1))
        return {"frames": found.last_hidden_state, "counts": counts}

    def postprocess(self, model_outputs: Any, return_tensors: bool = False) -> Tensor | list:
        """Without frames of the padding."""
        if not isinstance(self.model, PemrModel):
            return super().postprocess(model_outputs, return_tensors)
        frames = model_outputs["frames"][:, : int(model_outputs["counts"])]
        return frames if return_tensors else frames.tolist()
