"""run_pretrain.py: s3prl's pretraining command line, with our runner."""

from __future__ import annotations

import logging
import random
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import yaml
from s3prl.pretrain.training import checkpoint_files
from s3prl.upstream.adapter.checkpoint import NEEDED, read_checkpoint

from s3prl_pemr.loops import torchrun
from s3prl_pemr.loops.device import choose_device, hide_cuda
from s3prl_pemr.report.run_record import record_start
from s3prl_pemr.safety.whole_file import write_whole

from .errors import one_line_errors
from .outputs import check_folder
from .preset import with_preset
from .pretrain_arguments import (
    DEFAULT_SEED,
    apply_override,
    default_configs,
    experiment_folder,
    is_ours,
    parse_arguments,
    saved_config,
    warn_on_resume,
)
from .run_folder import sole_run

RESUMED = ("Config", "Optimizer", "Step", "Records")  # the toolkit's own Runner leaves some of them out


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse and train.

    Args:
        arguments: those of the command line if None.

    Returns: the exit status, 0 or 128 + a signal's number. Raises SystemExit after --help, and with one line
    on what the user can mend.
    """
    logging.basicConfig(level=logging.INFO, format="[%(name)s] %(message)s")
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    with one_line_errors():
        typed = list(sys.argv[1:] if arguments is None else arguments)
        args = parse_arguments(typed)
        check_folder(experiment_folder(args), "the experiment's folder")
        args.device = choose_device(args.device, torchrun.local_rank())
        if args.device == "cpu":
            hide_cuda()
        if not is_resumed(args):
            args.override = with_preset(
                "pretrain", args.preset, args.override, args.device, upstream=args.upstream
            )
        _seed(DEFAULT_SEED if args.seed is None else args.seed)
        torch.backends.cudnn.deterministic = args.deterministic
        torch.backends.cudnn.benchmark = not args.deterministic  # crops are all of one length
        if args.toolkit_runner or (args.upstream and not is_ours(args.upstream)):
            from .toolkit_pretrain import train  # only here: it gives s3prl's folders names at the top level

            with sole_run(experiment_folder(args)):
                record_start(experiment_folder(args), ["pretrain", *typed], None, {}, args.device)
                train(args)
            return 0
        with torchrun.process_group(args.device), sole_run(experiment_folder(args)):
            return _train(args, typed)


def _train(args: Namespace, typed: Sequence[str]) -> int:
    # the runner imports the augmentation and scikit-learn: not needed for --help
    from s3prl.pretrain.training.runner import PretrainRunner

    expdir = experiment_folder(args)
    past = checkpoint_files.checkpoints(expdir)
    if past and not args.past_exp and not args.auto_resume:
        raise ValueError(f"{expdir} holds a run already: pass -a to go on with it, or another -n / -p")
    if args.multi_gpu:
        raise ValueError("--multi_gpu would split the batch that the loss is over: use torchrun instead")
    states = None
    if args.past_exp or (args.auto_resume and past):
        checkpoint = checkpoint_files.latest(Path(args.past_exp) if args.past_exp else expdir)
        warn_on_resume(args, str(checkpoint))
        states = read_checkpoint(checkpoint, needed=(*NEEDED, *RESUMED))
        if args.upstream not in (None, states["Method"]):
            raise ValueError(f"{checkpoint} is of -u {states['Method']}, not of -u {args.upstream}")
        if past and max(past) > states["Step"]:
            raise ValueError(
                f"{expdir} holds checkpoints later than step {states['Step']} of {checkpoint}, which pruning "
                "would prefer: branch off into a new folder with -p or -n"
            )
        logging.getLogger(__name__).info("going on from %s", checkpoint)
        config, model = apply_override(args.override, saved_config(states), states["Upstream_Config"])
    else:
        config, model = default_configs(args)
    runner = PretrainRunner(expdir, config, model, args.device, torchrun.rank(), states)
    if args.init and states is None:
        taken = runner.expert.take_initial_weights(args.init, args.init_parts)
        logging.getLogger(__name__).info("--init %s: %s", args.init, ", ".join(taken))
    if torchrun.rank() == 0:
        effective = {"config_runner.yaml": runner.config, "config_model.yaml": runner.expert.upstream_config}
        for name, settings in effective.items():
            write_whole(expdir / name, yaml.safe_dump(settings, sort_keys=False).encode())
        store = runner.expert.dataset.store
        heard = {str(store.path): store.fingerprint}
        record_start(expdir, ["pretrain", *typed], effective, heard, args.device)
    return runner.train()


def is_resumed(args: Namespace) -> bool:
    """Whether the run goes on from a checkpoint: its settings are in force then."""
    past = args.auto_resume and checkpoint_files.checkpoints(experiment_folder(args))
    return bool(args.past_exp or past)


def _seed(seed: int) -> None:
    """Initial weights; all other draws are keyed (s3prl/pretrain/crops/randomness.py)."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - what the toolkit's own experts draw from
    torch.manual_seed(seed)
