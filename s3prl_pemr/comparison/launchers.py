"""The command lines that a stage runs: those a user types in a checkout."""

from __future__ import annotations

import os
from pathlib import Path

from s3prl_pemr.registration import PLUGIN_ROOT


def in_checkout(name: str) -> str:
    """A file of the checkout, relative to the working directory.

    Raises:
        ValueError: one line: this is an installed package without a checkout around it.
    """
    path = PLUGIN_ROOT / name
    if not path.is_file():
        raise ValueError(f"{path}: not there; the demo runs in a checkout of the repository")
    return os.path.relpath(path)


def train(
    task: str, upstream: str, checkpoint: Path | None, expdir: Path, settings: dict, *flags: str
) -> list[str]:
    """Arguments that train a task's head with its config_demo.yaml, or go on with it.

    Args:
        task: -d.
        upstream, checkpoint: -u, -k.
        expdir: -p.
        settings: over the yaml's `downstream_expert`, dotted names to values.
        flags: further ones.
    """
    weights = ["-k", str(checkpoint)] if checkpoint else []
    override = ",,".join(f"config.downstream_expert.{name}={value}" for name, value in settings.items())
    return [
        *(in_checkout("run_downstream.py"), "-m", "train", "-a", "-u", upstream, *weights),
        *("-d", task, "-c", "config_demo.yaml", "-p", str(expdir), "-o", override, *flags),
    ]


def evaluate(expdir: Path, split: str, *flags: str) -> list[str]:
    """Arguments that score the best checkpoint of `train` on a split."""
    best = str(expdir / "dev-best.ckpt")
    return [in_checkout("run_downstream.py"), "-m", "evaluate", "-e", best, "-t", split, *flags]
