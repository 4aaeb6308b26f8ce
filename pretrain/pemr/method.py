"""One training step of PEMR (paper Figure 2). B: clips, N: samples, L: frames, D: mel bins, P: projection."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from s3prl.pretrain.crops.corruption import Corruption
from s3prl.pretrain.training.collapse import embedding_std
from s3prl.pretrain.training.method import Examination, TrainingMethod
from s3prl.upstream.pemr.config import PemrConfig
from s3prl.upstream.pemr.model import PEMR
from torch import Tensor, nn

from s3prl_pemr.settings import parse

from .cls_pair import cls_pair_loss
from .corruption import CorruptionConfig
from .examination import SHIFT_FRAMES, examine
from .mask_picture import mask_picture
from .objective import cross_correlation, positive_loss, prediction_loss
from .views import negative_gradient_ratio, negative_projections, negative_share

CLS_OBJECTIVES = ("none", "pair")
TRAINED = ("both", "transformer", "encoder")


@dataclass
class ObjectiveConfig:
    """Weights of the losses.

    trade_off: lambda of Eq. 8; not in the paper, Barlow Twins' value.
    negative_trade_off: lambda of Eq. 9; None: the same, as the paper has it.
    cls: `pair` adds cls_pair.py's loss, cls_weight times; `none`, the paper's, leaves [CLS] untrained.
    trained: one of the two parts that no loss shares can be trained alone; nothing of the other is computed
        that it does not need.
    """

    trade_off: float = 0.005
    negative_trade_off: float | None = None
    cls: str = "none"
    cls_weight: float = 100.0
    cls_temperature: float = 0.1
    trained: str = "both"

    def __post_init__(self) -> None:
        if self.trained not in TRAINED:
            raise ValueError(f"trained {self.trained!r} is not one of {', '.join(TRAINED)}")
        if self.cls not in CLS_OBJECTIVES:
            raise ValueError(f"cls {self.cls!r} is not one of {', '.join(CLS_OBJECTIVES)}")
        if self.cls_weight < 0 or self.cls_temperature <= 0:
            raise ValueError("cls_weight must be at least 0, cls_temperature above 0")
        if min(self.trade_off, self.lambda_negative) < 0:
            raise ValueError("trade_off and negative_trade_off must be at least 0")

    @property
    def lambda_negative(self) -> float:
        """Lambda of Eq. 9."""
        return self.trade_off if self.negative_trade_off is None else self.negative_trade_off


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

    @property
    def examined_extra_samples(self) -> int:
        """For the same music a little later."""
        return SHIFT_FRAMES * self.model.config.frontend.hop_samples

    def examine(self, crops: Tensor, seed: int) -> Examination:
        """What the masks choose, and how well frames are predicted: see examination.py."""
        return examine(self.model, crops, self.corruption, seed)

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
        frames = self.model.frontend(wavs)
        losses: list[Tensor] = []
        logged: dict[str, Tensor] = {}
        if self.objective.trained != "encoder":
            losses += self._train_transformer(frames, corruption, logged)
        if self.objective.trained != "transformer":
            losses += self._train_encoder(frames, logged)
        loss = sum(losses, start=frames.new_zeros(()))
        return loss, {name: value.detach() for name, value in {"loss": loss, **logged}.items()}

    def _train_transformer(self, frames: Tensor, corruption: Corruption, logged: dict) -> list[Tensor]:
        model, weights = self.model, self.objective
        states = model.transformer(corruption.apply(frames))  # (2 B, L + 1, D)
        predicted = prediction_loss(frames, model.predictor(states[:, 1:]), corruption.masked)
        logged["prediction_loss"] = 2 * predicted  # mean over 2 B crops; the paper's two branches are summed
        losses = [logged["prediction_loss"]]
        if weights.cls == "pair":
            cls_a, cls_b = states[:, 0].chunk(2)
            logged["cls_loss"] = cls_pair_loss(cls_a, cls_b, weights.cls_temperature)
            losses.append(weights.cls_weight * logged["cls_loss"])
        return losses

    def _train_encoder(self, frames: Tensor, logged: dict) -> list[Tensor]:
        model, weights = self.model, self.objective
        frames_a, frames_b = frames.chunk(2)
        positive, negative = model.masks(frames_a, frames_b)
        vectors_a = model.clip_vectors(frames_a)
        z_a = model.projector(vectors_a)
        z_pos = model.projector(model.clip_vectors(frames_b * positive[..., None]))
        logged["positive_loss"] = positive_loss(cross_correlation(z_a, z_pos), weights.trade_off)
        z_neg = self._negative_projections(frames_b, negative)
        logged["negative_loss"] = negative_share(z_a, z_neg, weights.lambda_negative)
        logged["negative_gradient_ratio"] = negative_gradient_ratio(
            z_a, z_pos, z_neg, weights.trade_off, weights.lambda_negative
        )
        logged["embedding_std"] = embedding_std(vectors_a)
        self.monitored = {"representations": vectors_a.detach(), "projections": z_a.detach()}
        return [logged["positive_loss"], logged["negative_loss"]]

    def _negative_projections(self, frames_b: Tensor, negative: Tensor) -> Tensor | None:
        model = self.model
        return negative_projections(
            frames_b, negative, model.config.mask_ratio, model.encoder,
            lambda frames: model.projector(model.clip_vectors(frames)),
        )  # fmt: skip
