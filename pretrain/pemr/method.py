"""One training step of PEMR (paper Figure 2). B: clips, N: samples, L: frames, D: mel bins, P: projection."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from s3prl.pretrain.crops.corruption import Corruption
from s3prl.pretrain.training.method import TrainingMethod, embedding_std
from s3prl.upstream.pemr.config import PemrConfig
from s3prl.upstream.pemr.model import PEMR
from torch import Tensor, nn

from s3prl_pemr.settings import parse

from .corruption import CorruptionConfig
from .mask_picture import mask_picture
from .negative_view import negative_view_loss
from .objective import cross_correlation, positive_loss, prediction_loss


@dataclass
class ObjectiveConfig:
    """trade_off: lambda of Eq. 8 and 9; not in the paper, Barlow Twins' value."""

    trade_off: float = 0.005


class PemrMethod(TrainingMethod):
    """The model and its loss L = L_pred + L_pos + L_neg (paper 3.6)."""

    name = "pemr"
    draws_pictures = True

    def __init__(self, settings: dict, where: str):
        super().__init__()
        self.model = PEMR(parse(PemrConfig, settings.get("model"), f"{where}, model"))
        self.objective = parse(ObjectiveConfig, settings.get("objective"), f"{where}, objective")
        self.corruption = parse(CorruptionConfig, settings.get("corruption"), f"{where}, corruption")

    def settings(self) -> dict:
        """Every setting in force, as config_model.yaml has them: what a checkpoint stores."""
        return {
            "model": asdict(self.model.config), "objective": asdict(self.objective),
            "corruption": asdict(self.corruption),
        }  # fmt: skip

    def picture(self, views: Tensor) -> np.ndarray:
        """Image for TensorBoard from augmented crops (2 B, N): (height, width, 3) uint8."""
        return mask_picture(self.model, views)

    def parts(self) -> dict[str, list[nn.Parameter]]:
        """The two parameter sets that no loss shares: their gradients are measured and clipped apart."""
        model = self.model
        return {
            "transformer": [*model.transformer.parameters(), *model.predictor.parameters()],
            "encoder": [*model.encoder.parameters(), *model.projector.parameters()],
        }

    def forward(self, wavs: Tensor, corruption: Corruption) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a batch and what to log.

        Args:
            wavs: augmented first crops of B tracks, then their second crops, (2 B, N).
            corruption: of their frames, (2 B, L).

        Returns: the scalar loss, and detached scalars by name.
        """
        model, trade_off = self.model, self.objective.trade_off
        frames = model.frontend(wavs)
        predicted = prediction_loss(frames, model.predict(corruption.apply(frames)), corruption.masked)
        loss_prediction = 2 * predicted  # mean over 2 B crops; the paper's two branches are summed

        frames_a, frames_b = frames.chunk(2)
        positive, negative = model.masks(frames_a, frames_b)
        vectors_a = model.clip_vectors(frames_a)
        z_a = model.projector(vectors_a)
        z_pos = model.projector(model.clip_vectors(frames_b * positive[..., None]))
        loss_positive = positive_loss(cross_correlation(z_a, z_pos), trade_off)
        loss_negative = self._negative_loss(z_a, frames_b, negative)

        loss = loss_prediction + loss_positive + loss_negative
        logged = {
            "loss": loss,
            "prediction_loss": loss_prediction,
            "positive_loss": loss_positive,
            "negative_loss": loss_negative,
            "embedding_std": embedding_std(vectors_a),
        }
        return loss, {name: value.detach() for name, value in logged.items()}

    def _negative_loss(self, z_a: Tensor, frames_b: Tensor, negative: Tensor) -> Tensor:
        model, ratio = self.model, self.model.config.mask_ratio
        return negative_view_loss(
            z_a, frames_b, negative, ratio, self.objective.trade_off, model.encoder,
            lambda frames: model.projector(model.clip_vectors(frames)),
        )  # fmt: skip
