"""Settings of the pretraining runner: config_runner.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from s3prl_pemr.loops.compilation import WAYS as COMPILE_WAYS

PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@dataclass
class RunnerConfig:
    """`runner` of config_runner.yaml, where each value is explained.

    Raises ValueError (one line) for values that make no sense.
    """

    n_epochs: int = 300
    total_steps: int = -1
    gradient_accumulate_steps: int = 1
    gradient_clipping: float | None = None
    precision: str = "fp32"
    compile: str = "off"
    log_step: int = 50
    picture_step: int = 2000
    save_step: int = 1000
    max_keep: int = 2
    keep_every_epochs: int = 50
    probe_every_epochs: int = 0
    probe_store: str = ""
    probe_neighbours: int = 10

    def __post_init__(self):
        if self.gradient_accumulate_steps != 1:
            raise ValueError(
                f"gradient_accumulate_steps {self.gradient_accumulate_steps}: the losses are over the batch, "
                "so accumulating smaller batches is a different experiment; set 1, or spread the batch with "
                "torchrun"
            )
        if self.n_epochs < 1 and self.total_steps < 1:
            raise ValueError("n_epochs or total_steps must be at least 1")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision {self.precision!r} is not one of {', '.join(PRECISIONS)}")
        if self.compile not in COMPILE_WAYS:
            raise ValueError(f"compile {self.compile!r} is not one of {', '.join(COMPILE_WAYS)}")
        if min(self.log_step, self.save_step, self.max_keep, self.probe_neighbours) < 1:
            raise ValueError("log_step, save_step, max_keep and probe_neighbours must be at least 1")
        if self.gradient_clipping is not None and self.gradient_clipping <= 0:
            raise ValueError(
                f"gradient_clipping must be above 0, or null for none; got {self.gradient_clipping}"
            )
        if self.probe_every_epochs > 0 and not self.probe_store:
            raise ValueError("probe_every_epochs needs probe_store, a store with labels")

    def steps(self, steps_per_epoch: int) -> int:
        """Optimiser steps of the whole run."""
        of_epochs = self.n_epochs * steps_per_epoch if self.n_epochs > 0 else self.total_steps
        return min(of_epochs, self.total_steps) if self.total_steps > 0 else of_epochs


@dataclass
class ExpertConfig:
    """`pretrain_expert`: what the toolkit hands to the expert, which parses it (see DataConfig)."""

    datarc: dict[str, Any] = field(default_factory=dict)


@dataclass
class RunnerFile:
    """The top level of config_runner.yaml; `optimizer` and `scheduler` are s3prl's."""

    optimizer: dict[str, Any]
    runner: RunnerConfig = field(default_factory=RunnerConfig)
    scheduler: dict[str, Any] | None = None
    pretrain_expert: ExpertConfig = field(default_factory=ExpertConfig)
