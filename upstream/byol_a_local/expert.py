"""s3prl's BYOL-A with statistics of one's choice, and waveforms checked as for every upstream of ours."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from s3prl.upstream.adapter.waveform import pad_waveforms
from s3prl.upstream.byol_a import expert as toolkit
from s3prl.upstream.byol_a.byol_a import load_yaml_config
from s3prl.upstream.byol_a.hubconf import DEFAULT_CONFIG_PATH
from s3prl.upstream.taggers.log_mel import FullPrecisionMel
from torch import Tensor

from .statistics import chosen_statistics

logger = logging.getLogger(__name__)

SETTINGS = ("sample_rate", "n_fft", "win_length", "hop_length", "n_mels", "f_min", "f_max")


class UpstreamExpert(toolkit.UpstreamExpert):
    """Frames of a second, as the toolkit's; its network may be in half precision, its front end stays.

    Args:
        ckpt: the authors' weights.
        width: of the last layer.
        model_config: the yaml of -g, None for the authors' statistics.

    Raises: ValueError (one line): see statistics.py.
    """

    def __init__(self, ckpt: str, width: int, model_config: str | None = None):
        super().__init__(str(Path(ckpt).expanduser()), DEFAULT_CONFIG_PATH, width)
        config = load_yaml_config(DEFAULT_CONFIG_PATH)
        self.to_melspec = FullPrecisionMel(**{name: getattr(config, name) for name in SETTINGS})
        mean, std, source = chosen_statistics(model_config, self._log_mel)
        logger.info("BYOL-A's log-mel: mean %.4f, standard deviation %.4f, %s", mean, std, source)
        self.normalizer.mean, self.normalizer.std = mean, std
        # What the feature cache goes by: other statistics, other features.
        self.register_buffer(
            "norm_statistics", torch.tensor([mean, std], dtype=torch.float64), persistent=False
        )
        self.model.register_forward_pre_hook(_in_its_own_precision)

    def _log_mel(self, wavs: Tensor) -> Tensor:
        """(B, N) -> (B, mels, T), as s3prl/upstream/byol_a/expert.py:101."""
        return (self.to_melspec(wavs) + torch.finfo(torch.float).eps).log()

    def forward(self, wavs: list[Tensor]) -> dict[str, list[Tensor]]:
        """s3prl's, for 1-D waveforms of floats; raises ValueError (one line) as `pad_waveforms`."""
        padded, lengths = pad_waveforms(wavs)
        return super().forward([wav[:length] for wav, length in zip(padded, lengths.tolist(), strict=True)])


def _in_its_own_precision(model, inputs):
    return (inputs[0].to(model.fc[0].weight.dtype),)
