"""Settings of the PEMR model (config_model.yaml, `model`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from s3prl.upstream.fcn4.frontend import FrontendConfig

FRAME_SCALES = ("sqrt_d", "1")  # 1: as in versions up to 0.1


@dataclass
class TransformerConfig:
    """Frame transformer (paper 3.3, 4.1.3); its width D is the number of mel bins."""

    layers: int = 3
    heads: int = 3
    frame_scale: str = "sqrt_d"  # before the positions are added: Vaswani et al. 2017 (the paper's [36]), 3.4

    def __post_init__(self) -> None:
        if self.frame_scale not in FRAME_SCALES:
            raise ValueError(f"frame_scale {self.frame_scale!r} is not one of {', '.join(FRAME_SCALES)}")
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

    def __post_init__(self) -> None:
        if not 0.0 <= self.mask_ratio < 1.0:
            raise ValueError(f"mask_ratio must be in [0, 1), got {self.mask_ratio}")
        if len(self.encoder_channels) != 4:
            raise ValueError(f"encoder_channels needs 4 values, got {self.encoder_channels}")
