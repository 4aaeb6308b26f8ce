"""s3prl's own pretraining Runner, for its own upstreams and (--toolkit_runner) for ours."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from .compat import pretraining_names
from .pretrain_arguments import default_configs


def train(args: Namespace) -> None:
    """Run s3prl/pretrain/runner.py on a new experiment.

    Raises:
        ValueError: one line: asked to resume, which that Runner does one step early and with the first batch.
    """
    if args.past_exp or args.auto_resume:
        raise ValueError("s3prl's own pretraining Runner does not resume exactly: leave -e and -a to ours")
    pretraining_names()
    from s3prl.pretrain.runner import Runner  # imports the names above

    config, model = default_configs(args)
    args.upstream_config = model if args.override else args.upstream_config
    args.init_ckpt = None
    Path(args.expdir).mkdir(parents=True, exist_ok=True)
    runner = Runner(args, config)
    runner.train()
    runner.logger.close()
