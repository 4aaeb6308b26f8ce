"""PEMR's masks with frames chosen by lot: what the paper argues against in 3.4. B: clips, L: frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from s3prl.pretrain.crops.corruption import Corruption
from s3prl.pretrain.pemr.objective import cross_correlation, positive_loss
from s3prl.pretrain.pemr.views import negative_gradient_ratio, negative_projections, negative_share
from s3prl.pretrain.training.baseline import Baseline, HeadConfig, positive_similarity
from s3prl.upstream.fcn4.projector import Projector
from s3prl.upstream.pemr.masking import masked_frame_count


@dataclass
class RandomMaskConfig(HeadConfig):
    """mask_ratio: r of Eq. 5. trade_off: lambda of Eq. 8. negative_trade_off: of Eq. 9; None: the same."""

    mask_ratio: float = 0.1
    trade_off: float = 0.005
    negative_trade_off: float | None = None

    def __post_init__(self):
        super().__post_init__()
        masked_frame_count(1, self.mask_ratio)  # raises where the ratio makes no sense

    def draw(self, generators: Sequence[np.random.Generator], frames: int) -> Corruption:
        """Masks exactly floor(ratio * frames) frames of each crop, as Eq. 5 does; zeros in their place."""
        masked = np.zeros((len(generators), frames), dtype=bool)
        for row, generator in enumerate(generators):
            masked[row, generator.permutation(frames)[: masked_frame_count(frames, self.mask_ratio)]] = True
        source = np.where(masked, -1, np.arange(frames))
        return Corruption(torch.from_numpy(masked), torch.from_numpy(source))


class PemrRandomMask(Baseline):
    """L_pos + L_neg of Eq. 8 and 9. Without a transformer: no loss of PEMR's encoder depends on one."""

    Config = RandomMaskConfig

    def __init__(self, settings: dict, where: str):
        super().__init__(settings, where)
        self.corruption = self.objective

    def original_head(self, inputs):
        """The paper's, 3.5: the shared one."""
        return Projector(inputs, 512, 256)

    def compare(self, view_a, view_b, corruption):
        """See `Baseline.compare`; the second crops' frames are masked, as in `PemrMethod`."""
        ratio, trade_off = self.objective.mask_ratio, self.objective.trade_off
        weight = trade_off if self.objective.negative_trade_off is None else self.objective.negative_trade_off
        negative = corruption.masked.chunk(2)[1]  # (B, L)
        vectors, z_a = self.represent(view_a)
        _, z_pos = self.represent(view_b * ~negative[..., None])
        loss_positive = positive_loss(cross_correlation(z_a, z_pos), trade_off)
        z_neg = negative_projections(
            view_b, negative, ratio, self.model.encoder, lambda frames: self.represent(frames)[1]
        )
        loss_negative = negative_share(z_a, z_neg, weight)
        return vectors, {
            "loss": loss_positive + loss_negative,
            "positive_loss": loss_positive,
            "negative_loss": loss_negative,
            "negative_gradient_ratio": negative_gradient_ratio(z_a, z_pos, z_neg, trade_off, weight),
            "positive_similarity": positive_similarity(z_a, z_pos),
        }
