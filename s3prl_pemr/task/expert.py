"""The part of s3prl's downstream interface that does not depend on the task."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from s3prl_pemr.features.waveforms import shortest_samples
from s3prl_pemr.loops.torchrun import LoopBar
from s3prl_pemr.report.printable import printable
from s3prl_pemr.store import AudioStore

from .upstream_heard import overlap, upstream_heard

logger = logging.getLogger(__name__)

BEST = "dev-best.ckpt"
# Of the command line, repeated in scores.json beside the scores that it led to.
REPORTED_ARGUMENTS = ("upstream", "upstream_ckpt", "upstream_trainable", "seed")


class TaskExpert(nn.Module):
    """Base of a task's DownstreamExpert.

    Attributes:
        mode: train, evaluate or inference.
        expdir: the experiment's folder.
        checkpoint: name of the file that the head comes from, None at first.
        shortest_samples: what shorter waveforms are padded to.
        reported: the arguments that scores.json repeats, and `upstream_heard`: what it was pretrained on.
        best_score: of dev so far; saved with the head.

    Raises: ValueError (one line) where there is no head to score with.
    """

    # All that the head uses of a track's frames: --feature_cache may store that instead of them.
    feature_pooling = "mean"

    def __init__(
        self,
        upstream_dim: int,
        upstream_rate: int,
        expdir: str,
        mode: str = "train",
        upstream_trainable: bool = False,
        seed: int = 0,
        init_ckpt: str | None = None,
        needs_checkpoint: bool = True,
        **arguments: Any,
    ):
        """Args: what s3prl/downstream/runner.py:180 hands over, its command line among it."""
        super().__init__()
        self.upstream_dim, self.upstream_trainable = upstream_dim, upstream_trainable
        self.mode, self.expdir, self.seed = mode, Path(expdir), seed
        self.checkpoint = Path(init_ckpt).name if init_ckpt else None
        self.shortest_samples = shortest_samples(upstream_rate)
        reported = {**arguments, "upstream_trainable": upstream_trainable, "seed": seed}
        self.reported = {name: reported.get(name) for name in REPORTED_ARGUMENTS}
        heard = None if mode == "inference" else upstream_heard(arguments.get("upstream_ckpt"), init_ckpt)
        self.reported["upstream_heard"] = heard
        self.register_buffer("best_score", torch.full((1,), -torch.inf))
        self._best_step: int | None = None
        if mode != "train" and init_ckpt is None and needs_checkpoint:
            raise ValueError(f"-m {mode} needs a trained head: pass -e EXPDIR or -e CHECKPOINT")

    def fingerprints(self) -> dict[str, str]:
        """Of the stores that are read, by their paths, as a task's `splits` has them; for run.json."""
        splits = getattr(self, "splits", None)
        return splits.fingerprints() if splits else {}

    def warn_of_heard(self, split: str, store: AudioStore, name: str) -> None:
        """Says so, in one line, if the upstream was pretrained on what is scored: `name` of the store."""
        found = overlap(self.reported["upstream_heard"], store, name)
        if found:
            logger.warning("%s: %s", split, found)

    def refuse_not_finite(self, loss: float, tracks: Sequence[str]) -> None:
        """A training step's loss: the toolkit prints a line and goes on (s3prl/downstream/runner.py:350).

        Raises: ValueError: one line: the step, and the tracks of the batch.
        """
        if math.isfinite(loss) or not self.training:
            return
        at = f" at step {int(LoopBar.overall.n) + 1}" if LoopBar.overall else ""
        raise ValueError(
            f"the loss is not finite{at}; its batch: {' | '.join(map(printable, tracks))}; go on from the "
            'last checkpoint with -a and a lower -o "config.optimizer.lr=..."; if that does not help, the '
            "upstream gives features that are not finite"
        )

    def is_best(self, score: float, global_step: int) -> bool:
        """Whether dev was never better; the step is remembered if so."""
        if score <= self.best_score.item():
            return False
        self.best_score.fill_(score)
        self._best_step = global_step
        return True

    def is_best_step(self, global_step: int) -> bool:
        """Whether dev was best at this very step: the other splits' scores are then written too."""
        return self._best_step == global_step
