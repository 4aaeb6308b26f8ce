"""What the baselines share: the encoder, the projection head, a step on two crops of a track.

B: clips, N: samples, P: projection width.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch.nn.functional as F
from s3prl.pretrain.crops.corruption import Corruption
from s3prl.upstream.fcn4.projector import Projector
from torch import Tensor, nn

from s3prl_pemr.methods import model_class
from s3prl_pemr.settings import parse

from .collapse import embedding_std
from .method import TrainingMethod

HEADS = ("shared", "original")


@dataclass
class HeadConfig:
    """The projection head: `shared`, PEMR's one hidden layer (paper 4.1.3), or the method's `original` one.

    The widths are those of `shared`; an original head brings its own.
    """

    head: str = "shared"
    projection_hidden: int = 512
    projection_dim: int = 256

    def __post_init__(self) -> None:
        if self.head not in HEADS:
            raise ValueError(f"head {self.head!r} is not one of {', '.join(HEADS)}")


class Baseline(TrainingMethod):
    """Encoder and projection head; a subclass has a `Config`, an `original_head` and a `compare`."""

    Config = HeadConfig

    def __init__(self, settings: dict, where: str):
        super().__init__()
        self.name = settings["method"]
        if settings.get("corruption"):
            raise ValueError(f"{where}: -u {self.name} corrupts no frames, leave `corruption` out")
        model = model_class(self.name)
        self.model = model(parse(model.Config, settings.get("model"), f"{where}, model"))
        self.objective = parse(self.Config, settings.get("objective"), f"{where}, objective")
        self.projector = self._head(self.model.output_dim)
        *_, last = (module for module in self.projector.modules() if isinstance(module, nn.Linear))
        self.projection_dim = last.out_features

    def _head(self, inputs: int) -> nn.Module:
        if self.objective.head == "original":
            return self.original_head(inputs)
        return Projector(inputs, self.objective.projection_hidden, self.objective.projection_dim)

    def original_head(self, inputs: int) -> nn.Module:
        """The head that the method's authors used, (B, inputs) -> (B, P)."""
        raise NotImplementedError

    def settings(self) -> dict:
        """Every setting in force."""
        return {"model": asdict(self.model.config), "objective": asdict(self.objective)}

    def represent(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """What the encoder takes of clips -> representations (B, 512), the mean over time, and (B, P)."""
        vectors = self.model.encoder(inputs).mean(dim=1)
        projections = self.projector(vectors)
        if not self.monitored:  # of the first crops
            self.monitored = {"representations": vectors.detach(), "projections": projections.detach()}
        return vectors, projections

    def compare(
        self, view_a: Tensor, view_b: Tensor, corruption: Corruption | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """First crops' representations (B, 512), and by name `loss` and what else to log."""
        raise NotImplementedError

    def forward(self, wavs: Tensor, corruption: Corruption | None) -> tuple[Tensor, dict[str, Tensor]]:
        """As `TrainingMethod.forward`."""
        self.monitored = {}
        view_a, view_b = self.model.inputs(wavs).chunk(2)
        vectors, logged = self.compare(view_a, view_b, corruption)
        logged["embedding_std"] = embedding_std(vectors)
        return logged["loss"], {name: value.detach() for name, value in logged.items()}


def positive_similarity(z_a: Tensor, z_b: Tensor) -> Tensor:
    """Mean cosine of the projections (B, P) of two crops of a track: what every method here raises."""
    return F.cosine_similarity(z_a.detach().float(), z_b.detach().float(), dim=1).mean()
