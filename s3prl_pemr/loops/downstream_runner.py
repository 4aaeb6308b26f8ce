"""The toolkit's downstream loop with its faults mended from outside; each hook names the line it mends."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import torch
from s3prl.downstream import runner as toolkit
from s3prl.optimizers import get_optimizer
from torch import nn
from torch.distributed import is_initialized

from s3prl_pemr.features.attach import CacheArguments, cached_upstream, is_worth_it
from s3prl_pemr.features.cached_upstream import CachedUpstream
from s3prl_pemr.features.half_precision import HalfPrecision
from s3prl_pemr.features.identity import file_identity
from s3prl_pemr.report.event_log import closed_at_the_end
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.children import no_child_outlives_an_error
from s3prl_pemr.safety.interruption import Interruption
from s3prl_pemr.task.expert import TaskExpert
from s3prl_pemr.toolkit.patching import replaced
from s3prl_pemr.toolkit.registration import plugin_folders

from . import plateau, torchrun
from .config_check import check_config, tell_of_a_part
from .inference import files_of, infer
from .optimizer import complete_optimizer_config
from .position import KEY as POSITION
from .position import Position
from .random_state import EpochSeededLoaders, preserved_random_state
from .safe_checkpoints import safe_checkpoints
from .upstream_file import KEY as UPSTREAM_FILE
from .upstream_file import at_hand, kept_file, refuse_other_files

logger = logging.getLogger(__name__)
UNCACHED = ", without evaluations"  # behind the forecast
CACHED = f"{UNCACHED}; less as soon as each clip's features have been computed once"


class Runner(toolkit.Runner):
    """Takes the place of s3prl.downstream.runner.Runner; the same arguments, config and checkpoints."""

    def __init__(
        self,
        args,
        config,
        cache: CacheArguments | None = None,
        files: Sequence[Path] | None = None,
        begin: Callable | None = None,
        features_precision: str = "fp32",
    ):
        """More than the toolkit's.

        Args:
            cache: of a frozen upstream's features.
            files: of -m inference; else the one that the arguments name.
            features_precision: bf16 for a frozen upstream under autocast.
            begin: called once all is made, with (config, fingerprints of the stores, device).
        """
        self._files = files
        if is_initialized():
            args.local_rank = torchrun.local_rank()  # run_downstream.py:175 looks for it in a checkpoint
        self._plateau: plateau.PlateauOnTag | None = None
        self._told: set[str] = set()  # splits of which it was said that a part is scored
        self._interruption = Interruption(args.device)
        own_task = args.downstream in {task.name for task in plugin_folders("downstream")}
        check_config(config, own_task, args.init_ckpt)
        super().__init__(args, config)
        upstream, featurizer, task = (
            getattr(entry.model, "module", entry.model) for entry in self.all_entries
        )
        if features_precision != "fp32":
            if args.upstream_trainable:
                raise ValueError("--features_precision is for a frozen upstream: leave out -f, or the flag")
            upstream = self.upstream.model = HalfPrecision(upstream)
        if is_worth_it(args, config, featurizer, task, cache):
            self.upstream.model = cached_upstream(args, config, upstream, featurizer, task, cache)
            self.upstream.model.before_computing = self._stop_within_if_asked
        if begin and torchrun.rank() == 0:
            begin(config, task.fingerprints() if isinstance(task, TaskExpert) else {}, args.device)

    def _init_model(self, model: nn.Module, name: str, trainable: bool, interfaces: list[str] | None = None):
        if name == "Upstream" and trainable and _takes_seed(getattr(model, "reset_parameters", None)):
            model.reset_parameters(self.args.seed)  # -f from random weights: --seed decides which
        if name == "Downstream" and hasattr(type(model), "get_dataloader"):
            accumulated = self.config["runner"].get("gradient_accumulate_steps") or 1
            self._position = Position(
                self.init_ckpt.get(POSITION), accumulated, self._stop_if_asked, torchrun.rank()
            )
            patience = partial(self._interruption.patience, "the making of what a loader reads")
            rank = torchrun.rank()
            model.get_dataloader = EpochSeededLoaders(model, self.args.seed, rank, self._position, patience)
        entry = super()._init_model(model, name, False, interfaces)  # not trainable: no DDP by :113
        entry.trainable = trainable
        if is_initialized() and trainable and any(p.requires_grad for p in model.parameters()):
            entry.model = torchrun.distributed_copy(model, interfaces or [])
        return entry

    def _get_upstream(self):
        self._upstream_file = kept_file(self.args, self.init_ckpt)
        try:
            with at_hand(self.args, self.init_ckpt):
                return super()._get_upstream()
        except Exception as error:  # each upstream says in its own way what it misses
            lost = self.args.upstream_ckpt
            refuse_other_files(lost, self.args.upstream, error)
            if not self.args.init_ckpt or not lost or "://" in lost or Path(lost).exists():
                raise
            raise ValueError(
                f"{self.args.init_ckpt}: its upstream's checkpoint {lost} is no longer there; say where it "
                "is now with -k CKPT"
            ) from error

    def _get_optimizer(self, model_params):
        config = complete_optimizer_config(self.config["optimizer"])
        optimizer = get_optimizer(model_params, self.config["runner"]["total_steps"], config)
        self._load_weight(optimizer, "Optimizer")
        if torchrun.rank() > 0:
            torchrun.count_follower_steps(optimizer)
        self._optimizer = optimizer
        return optimizer

    def _get_scheduler(self, optimizer):
        if self.config["scheduler"].get("name") != plateau.NAME:
            self._scheduler = super()._get_scheduler(optimizer)
            return self._scheduler
        self._scheduler = self._plateau = plateau.plateau_from_config(optimizer, self.config["scheduler"])
        self._load_weight(self._plateau, "Scheduler")
        return self._plateau

    def train(self) -> None:
        """The toolkit's training loop, until its end or a signal.

        Raises: SystemExit (128 + the signal's number) where a signal ended it; its last step is saved.
        """
        self._scheduler = None
        if torchrun.rank() == 0:
            done = self.init_ckpt.get("Step", 0)
            steps = self.config["runner"]["total_steps"]
            logger.info("%d steps%s", steps, f"; {done} are done" if done else "")
        with ExitStack() as stack:
            stack.enter_context(no_child_outlives_an_error())
            stack.enter_context(safe_checkpoints(self._more_states))
            writer = stack.enter_context(closed_at_the_end(partial(plateau.TellingWriter, self._on_scalar)))
            stack.enter_context(replaced(toolkit, "SummaryWriter", writer))
            bar = torchrun.LoopBar if torchrun.rank() == 0 else torchrun.FollowersBar
            cached = isinstance(self.upstream.model, CachedUpstream)
            stack.enter_context(replaced(torchrun.LoopBar, "remark", CACHED if cached else UNCACHED))
            stack.enter_context(replaced(toolkit, "tqdm", bar))
            stack.callback(torchrun.LoopBar.close_overall)
            stack.enter_context(self._interruption)
            super().train()
        if self._plateau and torchrun.rank() == 0:
            self._plateau.warn_if_unheard()
        task = getattr(self.downstream.model, "module", self.downstream.model)
        if torchrun.rank() == 0 and isinstance(task, TaskExpert) and task.best_score.item() >= 0:
            print(f"best dev score: {task.best_score.item():.4f}")

    @property
    def upstream_identity(self) -> str | None:
        """Of the upstream's checkpoint: `file_identity`, also where only the head's copy of it is left."""
        kept = self._upstream_file
        return kept["sha256"] if kept else file_identity(self.args.upstream_ckpt)

    def _more_states(self) -> dict[str, Any]:
        kept = {} if self._upstream_file is None else {UPSTREAM_FILE: self._upstream_file}
        return {POSITION: self._position.state(), **kept}

    def _stop_if_asked(self) -> None:
        """Between two steps: saves and ends where a signal was noted, in all processes."""
        number, step = self._interruption.signal_number(), torchrun.LoopBar.overall.n
        if not number or step >= self.config["runner"]["total_steps"]:
            return
        if torchrun.rank() == 0:
            torch.save(self._states(step), Path(self.args.expdir) / f"states-{step}.ckpt")
            logger.warning("stopped by a signal at step %d, saved; go on with -a", step)
        raise SystemExit(128 + number)

    def _stop_within_if_asked(self) -> None:
        """Before a clip's features are computed: saves what was before the step; not under torchrun."""
        training = self.downstream.model.training
        if training and self._interruption.noted() and not is_initialized() and self._position.rewind():
            self._stop_if_asked()

    def _states(self, step: int) -> dict[str, Any]:
        """As s3prl/downstream/runner.py:403-418 puts them together."""
        states = {
            "Optimizer": self._optimizer.state_dict(), "Step": step, "Epoch": self._position.epoch,
            "Args": self.args, "Config": self.config,
        }  # fmt: skip
        for entry in self.all_entries:
            if entry.trainable:
                states[entry.name] = toolkit.get_model_state(entry.model)
        if self._scheduler:
            states["Scheduler"] = self._scheduler.state_dict()
        if is_initialized():
            states["WorldSize"] = toolkit.get_world_size()
        return states

    def _on_scalar(self, tag: str, value: float) -> None:
        if self._plateau:
            self._plateau.hear(tag, value)

    def evaluate(self, split=None, logger=None, global_step=0):
        """The toolkit's evaluation, by the first process, with the random state as before it."""
        if torchrun.rank() > 0:
            return []
        tell_of_a_part(self.config, split or self.args.evaluate_split, self._told)
        with (
            self._interruption.patience("an evaluation"),
            preserved_random_state(),
            torchrun.without_wrappers(self.all_entries),
            replaced(toolkit, "tqdm", Progress),
            closed_at_the_end() as writer,
            replaced(toolkit, "SummaryWriter", writer),
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
