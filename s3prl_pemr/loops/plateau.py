"""A learning rate that falls when a logged score stops getting better, in the toolkit's training loop."""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import distributed
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from s3prl_pemr.report.event_log import EventLog

logger = logging.getLogger(__name__)

NAME = "ReduceLROnPlateau"


class PlateauOnTag(ReduceLROnPlateau):
    """torch's ReduceLROnPlateau on the values of one TensorBoard tag.

    s3prl/downstream/runner.py:358 calls step() after every update and without a score. A value that is heard
    between two updates takes effect at the next of these calls: all processes of a torchrun meet there (only
    the first one evaluates and logs), so their learning rates stay equal. Until then the state_dict holds it.
    """

    def __init__(self, optimizer: Optimizer, tag: str, **options: Any):
        super().__init__(optimizer, **options)
        self.tag = tag
        self.heard: float | None = None  # not applied yet
        self.logged_tags: list[str] = []
        self._warned = False

    def hear(self, tag: str, value: float) -> None:
        """To be told of every scalar that is logged."""
        if tag not in self.logged_tags:
            self.logged_tags.append(tag)
        if tag == self.tag:
            self.heard = float(value)

    def step(self, metrics: Any = None, epoch: Any = None) -> None:  # type: ignore[override]
        """The toolkit's call after each update: applies what was heard since the last one."""
        heard = self._shared(self.heard if metrics is None else float(metrics))
        self.heard = None
        if heard is not None:
            super().step(heard, epoch)

    def _shared(self, heard: float | None) -> float | None:
        if not distributed.is_initialized():
            return heard
        device = self.optimizer.param_groups[0]["params"][0].device
        message = torch.tensor([heard is not None, heard or 0.0], dtype=torch.float64, device=device)
        distributed.broadcast(message, src=0)
        known, value = message.tolist()
        return value if known else None

    def warn_if_unheard(self) -> None:
        """Says, once, that the tag was not among what has been logged."""
        if self.tag not in self.logged_tags and not self._warned:
            self._warned = True
            logger.warning(
                "scheduler metric %s was never logged in this run, the learning rate stays; logged tags: %s",
                self.tag,
                ", ".join(sorted(self.logged_tags)) or "none",
            )

    def state_dict(self) -> dict[str, Any]:
        """Without what the config or the run itself says again."""
        own = ("optimizer", "tag", "logged_tags", "_warned")
        return {key: value for key, value in self.__dict__.items() if key not in own}


def plateau_from_config(optimizer: Optimizer, config: dict[str, Any]) -> PlateauOnTag:
    """From `scheduler: {name: ReduceLROnPlateau, metric: example/dev-loss, mode: min, factor: 0.5, ...}`."""
    options = {key: value for key, value in config.items() if key not in ("name", "metric")}
    if not config.get("metric"):
        raise ValueError(
            f"scheduler {NAME}: `metric` is missing; name a TensorBoard tag, e.g. example/dev-loss"
        )
    return PlateauOnTag(optimizer, config["metric"], **options)


class TellingWriter(EventLog):
    """TensorBoard's writer that also tells `listener` each scalar."""

    def __init__(self, listener, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._listener = listener

    def add_scalar(self, tag, scalar_value, *args, **kwargs):
        """As SummaryWriter.add_scalar."""
        self._listener(tag, float(scalar_value))
        super().add_scalar(tag, scalar_value, *args, **kwargs)
