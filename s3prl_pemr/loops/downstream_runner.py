"""The toolkit's downstream loop with its faults mended from outside; each hook names the line it mends."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from s3prl.downstream import runner as toolkit
from s3prl.optimizers import get_optimizer
from torch import nn
from torch.distributed import is_initialized

from s3prl_pemr.features.attach import CacheArguments, cached_upstream
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.toolkit.patching import replaced

from . import plateau, torchrun
from .inference import files_of, infer
from .optimizer import complete_optimizer_config
from .random_state import EpochSeededLoaders, preserved_random_state
from .safe_checkpoints import safe_checkpoints


class Runner(toolkit.Runner):
    """Takes the place of s3prl.downstream.runner.Runner; the same arguments, config and checkpoints."""

    def __init__(
        self, args, config, cache: CacheArguments | None = None, files: Sequence[Path] | None = None
    ):
        """Args: files: of -m inference; else the one that the arguments name."""
        self._files = files
        if is_initialized():
            args.local_rank = torchrun.local_rank()  # run_downstream.py:175 looks for it in a checkpoint
        self._plateau: plateau.PlateauOnTag | None = None
        super().__init__(args, config)
        if cache is not None:
            models = (getattr(entry.model, "module", entry.model) for entry in self.all_entries)
            self.upstream.model = cached_upstream(args, config, *models, cache)

    def _init_model(self, model: nn.Module, name: str, trainable: bool, interfaces: list[str] | None = None):
        if name == "Upstream" and trainable and _takes_seed(getattr(model, "reset_parameters", None)):
            model.reset_parameters(self.args.seed)  # -f from random weights: --seed decides which
        if name == "Downstream" and hasattr(type(model), "get_dataloader"):
            model.get_dataloader = EpochSeededLoaders(model, self.args.seed, torchrun.rank())
        entry = super()._init_model(model, name, False, interfaces)  # not trainable: no DDP by :113
        entry.trainable = trainable
        if is_initialized() and trainable and any(p.requires_grad for p in model.parameters()):
            entry.model = torchrun.distributed_copy(model, interfaces or [])
        return entry

    def _get_upstream(self):
        try:
            return super()._get_upstream()
        except Exception as error:  # each upstream says in its own way what it misses
            lost = self.args.upstream_ckpt
            if not self.args.init_ckpt or not lost or "://" in lost or Path(lost).exists():
                raise
            raise ValueError(
                f"{self.args.init_ckpt}: its upstream's checkpoint {lost} is no longer there; say where it "
                "is now with -o args.upstream_ckpt=CKPT"
            ) from error

    def _get_optimizer(self, model_params):
        config = complete_optimizer_config(self.config["optimizer"])
        optimizer = get_optimizer(model_params, self.config["runner"]["total_steps"], config)
        self._load_weight(optimizer, "Optimizer")
        if torchrun.rank() > 0:
            torchrun.count_follower_steps(optimizer)
        return optimizer

    def _get_scheduler(self, optimizer):
        if self.config["scheduler"].get("name") != plateau.NAME:
            return super()._get_scheduler(optimizer)
        self._plateau = plateau.plateau_from_config(optimizer, self.config["scheduler"])
        self._load_weight(self._plateau, "Scheduler")
        return self._plateau

    def train(self) -> None:
        """The toolkit's training loop."""
        with ExitStack() as stack:
            stack.enter_context(safe_checkpoints())
            telling_writer = partial(plateau.TellingWriter, self._on_scalar)
            stack.enter_context(replaced(toolkit, "SummaryWriter", telling_writer))
            bar = Progress if torchrun.rank() == 0 else torchrun.FollowersBar
            stack.enter_context(replaced(toolkit, "tqdm", bar))
            super().train()
        if self._plateau and torchrun.rank() == 0:
            self._plateau.warn_if_unheard()

    def _on_scalar(self, tag: str, value: float) -> None:
        if self._plateau:
            self._plateau.hear(tag, value)

    def evaluate(self, split=None, logger=None, global_step=0):
        """The toolkit's evaluation, by the first process, with the random state as before it."""
        if torchrun.rank() > 0:
            return []
        with (
            preserved_random_state(),
            torchrun.without_wrappers(self.all_entries),
            replaced(toolkit, "tqdm", Progress),
        ):
            save_names = super().evaluate(split, logger, global_step)
        if self._plateau and split == self.config["runner"]["eval_dataloaders"][-1]:
            self._plateau.warn_if_unheard()
        return save_names

    def inference(self) -> None:
        """The toolkit's inference for each file, by the first process."""
        if torchrun.rank() == 0:
            infer(self, self._files or files_of([self.args.evaluate_split]))


def _takes_seed(method) -> bool:
    return callable(method) and "seed" in inspect.signature(method).parameters
