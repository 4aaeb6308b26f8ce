"""Settings of the PEMR model, parsed strictly from yaml: an unknown key is an error that names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

Config = TypeVar("Config")


def parse(cls: type[Config], settings: Any, where: str) -> Config:
    """Build the dataclass `cls` from a mapping; nested dataclasses from nested mappings.

    Args:
        cls: a dataclass with plain-typed fields, each with a default.
        settings: mapping of field names to values; None stands for an empty one.
        where: what the mapping was read from, for the message.

    Raises:
        ValueError: one line, for an unknown key, a value of the wrong type or out of its range.
    """
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(cls), settings or {}))
    except OmegaConfBaseException as error:
        raise ValueError(f"{where}: {str(error).splitlines()[0]}") from error
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


@dataclass
class FrontendConfig:
    """Log-mel spectrogram (paper 3.2, 4.1.3)."""

    sample_rate: int = 16_000  # our choice: s3prl's contract
    n_fft: int = 256
    hop_samples: int = 128  # 8 ms
    n_mels: int = 128
    log_offset: float = 1e-6  # our choice: keeps digital silence finite
    std_floor: float = 0.1  # our choice, nats: mel filters without a bin are constant

    def __post_init__(self):
        if min(self.sample_rate, self.n_fft, self.hop_samples, self.n_mels) < 1:
            raise ValueError("sample_rate, n_fft, hop_samples and n_mels must be at least 1")
        if self.hop_samples > self.n_fft // 2:
            raise ValueError(
                f"hop_samples {self.hop_samples} leaves samples out: at most n_fft / 2 = {self.n_fft // 2}"
            )
        if self.log_offset <= 0 or self.std_floor <= 0:
            raise ValueError(
                "log_offset and std_floor must be above 0: silence and empty filters divide by them"
            )


@dataclass
class TransformerConfig:
    """Frame transformer (paper 3.3, 4.1.3); its width D is the number of mel bins."""

    layers: int = 3
    heads: int = 3

    def __post_init__(self):
        if self.layers < 2 or self.heads < 1:
            raise ValueError(f"layers must be >= 2 and heads >= 1, got {self.layers} and {self.heads}")


@dataclass
class PemrConfig:
    """The whole model."""

    frontend: FrontendConfig = field(default_factory=FrontendConfig)
    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    mask_ratio: float = 0.1  # r of Eq. 5
    encoder_channels: list[int] = field(default_factory=lambda: [64, 128, 128, 128])  # FCN-4
    projection_hidden: int = 512  # our choice: the paper gives the layer, not its width
    projection_dim: int = 256  # D_p, paper 3.5

    def __post_init__(self):
        if not 0.0 <= self.mask_ratio < 1.0:
            raise ValueError(f"mask_ratio must be in [0, 1), got {self.mask_ratio}")
        if len(self.encoder_channels) != 4:
            raise ValueError(f"encoder_channels needs 4 values, got {self.encoder_channels}")
