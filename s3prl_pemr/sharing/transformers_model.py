"""Shared models of ours as transformers' configuration, feature extractor and model. B: clips, N: samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from s3prl.upstream.adapter.shared_folder import MODEL_TYPE
from s3prl.upstream.adapter.waveform import pad_waveforms
from s3prl.upstream.fcn4.encoder import FCN4
from s3prl.upstream.fcn4.frontend import LogMel
from torch import Tensor, nn
from transformers import BatchFeature, PreTrainedConfig, PreTrainedModel, SequenceFeatureExtractor
from transformers.modeling_outputs import BaseModelOutput
from transformers.modeling_utils import local_torch_dtype

from s3prl_pemr.methods import shared_classes
from s3prl_pemr.settings import parse


class PemrHubConfig(PreTrainedConfig):
    """config.json of a shared model (s3prl/upstream/adapter/shared_folder.py).

    Args:
        model: its class, one of `shared_classes`.
        config: settings of that class.
        method: the name after -u that the weights are of.
        weights: what is known of them.
    """

    model_type = MODEL_TYPE

    def __init__(
        self,
        model: str = "PEMR",
        config: dict[str, Any] | None = None,
        method: str | None = None,
        weights: dict[str, Any] | None = None,
        **kwargs: Any,
    ):
        self.model, self.config, self.method, self.weights = model, config or {}, method, weights or {}
        super().__init__(**kwargs)


class PemrFeatureExtractor(SequenceFeatureExtractor):
    """Waveforms as floats in [-1, 1], padded: the model itself holds the log-mel front end."""

    model_input_names = ("input_values", "attention_mask")

    def __init__(
        self, feature_size: int = 1, sampling_rate: int = 16_000, padding_value: float = 0.0, **kwargs
    ):
        super().__init__(feature_size, sampling_rate, padding_value, **kwargs)

    def __call__(
        self,
        raw_speech: np.ndarray | Tensor | Sequence[np.ndarray | Tensor | Sequence[float]],
        sampling_rate: int | None = None,
        padding: bool | str = True,
        return_tensors: str | None = None,
        **padding_settings: Any,
    ) -> BatchFeature:
        """One waveform (N,) or several -> `input_values` and `attention_mask`, (B, N).

        Args:
            raw_speech: its name in transformers.
            sampling_rate: of the waveforms, Hz.
            padding, return_tensors, padding_settings: as in every feature extractor of transformers.

        Raises:
            ValueError: one line: another sample rate, or what `pad_waveforms` refuses.
        """
        if sampling_rate not in (None, self.sampling_rate):
            raise ValueError(f"waveforms at {sampling_rate} Hz: this model hears {self.sampling_rate} Hz")
        if isinstance(raw_speech, Sequence):
            is_one = len(raw_speech) > 0 and np.ndim(raw_speech[0]) == 0
        else:
            is_one = raw_speech.ndim == 1
        wavs = [torch.as_tensor(wav) for wav in ([raw_speech] if is_one else raw_speech)]
        pad_waveforms(wavs)  # refuses what is none
        features = BatchFeature({"input_values": [wav.float().cpu().numpy() for wav in wavs]})
        return self.pad(features, padding=padding, return_tensors=return_tensors, **padding_settings)


class PemrModel(PreTrainedModel):
    """Any shared model; its parts are this module's own, so weights have the same names in both."""

    config_class = PemrHubConfig
    main_input_name = "input_values"
    _no_split_modules = ("FCN4", "SampleCNN")

    def __init__(self, config: PemrHubConfig):
        super().__init__(config)
        classes = shared_classes()
        if config.model not in classes:
            raise ValueError(f"model {config.model!r}: not one of {', '.join(classes)}")
        cls = classes[config.model]
        dtype = torch.get_default_dtype()  # from_pretrained's dtype
        # Not on the meta device, nor in half precision: front ends compute their constants, and keep them.
        with torch.device("cpu"), local_torch_dtype(torch.float32):
            network = cls.from_config(parse(cls.Config, config.config, "config.json, config"))
        network.to(dtype)
        network.method, network.weights_card = config.method, config.weights
        self._network = [network]  # in a list: its parts are registered once
        for name, part in network.named_children():
            self.add_module(name, part)
        self.post_init()

    @property
    def network(self) -> nn.Module:
        """The model as `s3prl_pemr.load` returns it."""
        return self._network[0]

    @classmethod
    def from_pretrained(cls, name: Any, *args: Any, output_loading_info: bool = False, **kwargs: Any):
        """As of every model of transformers.

        Raises:
            ValueError: one line: weights that are missing or of another model; transformers draws those anew.
        """
        model, info = super().from_pretrained(name, *args, output_loading_info=True, **kwargs)
        odd = sorted({*info["missing_keys"], *info["unexpected_keys"]})
        if odd:
            raise ValueError(
                f"{name}: its weights are not those of its config.json: {', '.join(odd[:3])} ..."
            )
        for part in model.modules():
            if isinstance(part, FCN4):
                part.to(memory_format=torch.channels_last)  # as it makes itself
        return (model, info) if output_loading_info else model

    def _init_weights(self, module: nn.Module) -> None:
        """Transformers' hook: what the file does not hold, and transformers has left empty."""
        if isinstance(module, LogMel):
            module.fill_constants()

    def train(self, mode: bool = True) -> PemrModel:
        """Of the network too, which is none of this module's children."""
        self.network.training = mode
        return super().train(mode)

    def frame_counts(self, lengths: Tensor) -> Tensor:
        """Frames of waveforms of so many samples."""
        rate = self.network.samples_per_frame
        return (lengths + rate - 1) // rate

    def forward(
        self,
        input_values: Tensor,
        attention_mask: Tensor | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **_: Any,
    ) -> BaseModelOutput | tuple:
        """Waveforms (B, N), and 1 where they are, 0 behind their ends -> `last_hidden_state` (B, frames, D).

        Frames behind an item's own (`frame_counts`) are zero.
        """
        lengths = torch.full((len(input_values),), input_values.shape[1])
        if attention_mask is not None:
            lengths = attention_mask.sum(dim=1).cpu()
            input_values = input_values * attention_mask
        frames = self.network(input_values, lengths)
        found = BaseModelOutput(frames, (frames,) if output_hidden_states else None)
        return found.to_tuple() if return_dict is False else found
