"""s3prl's own pretraining Runner, for its own upstreams and (--toolkit_runner) for ours."""

from __future__ import annotations

import logging
from argparse import Namespace
from pathlib import Path

import torch
from s3prl.pretrain.training import checkpoint_files
from s3prl.upstream.adapter.checkpoint import fill_in_settings

from s3prl_pemr.loops import torchrun
from s3prl_pemr.loops.optimizer import complete_optimizer_config
from s3prl_pemr.loops.safe_checkpoints import safe_checkpoints
from s3prl_pemr.report.event_log import closed_at_the_end
from s3prl_pemr.toolkit.compat import pretraining_names
from s3prl_pemr.toolkit.patching import replaced

from .pretrain_arguments import (
    apply_override,
    default_configs,
    experiment_folder,
    saved_config,
    warn_on_resume,
)

logger = logging.getLogger(__name__)


def train(args: Namespace) -> None:
    """Run s3prl/pretrain/runner.py; resumed, it is as exact as that Runner is.

    Raises:
        ValueError: one line: a config or a checkpoint that is not there.
    """
    if torchrun.local_rank() is not None:
        raise ValueError("s3prl's own pretraining Runner has no DDP: start it without torchrun")
    pretraining_names()
    from s3prl.pretrain import runner as toolkit  # imports by the names that the line above gives

    expdir = experiment_folder(args)
    args.init_ckpt = None
    if args.past_exp or (args.auto_resume and checkpoint_files.checkpoints(expdir)):
        args.init_ckpt = str(checkpoint_files.latest(Path(args.past_exp or expdir)))
        warn_on_resume(args, args.init_ckpt)
        states = torch.load(args.init_ckpt, map_location="cpu", weights_only=True)
        args.upstream = states["Args"].upstream
        config, _ = apply_override(args.override, saved_config(states), states.get("Upstream_Config", {}))
        logger.warning(
            "going on from %s: s3prl's own Runner repeats a step (s3prl/pretrain/runner.py:253) and begins "
            "with the first batch of the data",
            args.init_ckpt,
        )
    else:
        config, model = default_configs(args)
        args.upstream_config = model if args.override else args.upstream_config
    config["optimizer"] = complete_optimizer_config(config["optimizer"])
    args.expdir = str(expdir)
    expdir.mkdir(parents=True, exist_ok=True)

    class KnowingRunner(toolkit.Runner):
        def _get_upstream(self):
            fill_in_settings(self.init_ckpt.get("Upstream_Config"))  # of a checkpoint of an earlier version
            return super()._get_upstream()

    with closed_at_the_end() as writer:
        with replaced(toolkit, "SummaryWriter", writer):
            runner = KnowingRunner(args, config)
        # its step counter is the bar: s3prl/pretrain/runner.py:147
        with replaced(toolkit, "tqdm", torchrun.LoopBar), safe_checkpoints():
            runner.train()
