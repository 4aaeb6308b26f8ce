"""The command lines that a stage runs: those a user types in a checkout."""

from __future__ import annotations

import os
from pathlib import Path

from s3prl_pemr.toolkit.registration import PLUGIN_ROOT

PRETRAIN_CONFIG = "pretrain/pemr/config_demo.yaml"


def in_checkout(name: str) -> str:
    """A file of the checkout, relative to the working directory.

    Raises:
        ValueError: one line: this is an installed package without a checkout around it.
    """
    path = PLUGIN_ROOT / name
    if not path.is_file():
        raise ValueError(f"{path}: not there; the demo runs in a checkout of the repository")
    return os.path.relpath(path)


def pretrain(method: str, expdir: Path, settings: dict, *flags: str) -> list[str]:
    """Arguments that pretrain a method with the demo's config, or go on with it.

    Args:
        method: -u.
        expdir: -p.
        settings: over pretrain/pemr/config_demo.yaml, dotted names to values.
        flags: further ones.
    """
    override = ",,".join(f"config.{name}={value}" for name, value in settings.items())
    config = in_checkout(PRETRAIN_CONFIG)
    return [
        *(in_checkout("run_pretrain.py"), "-a", "-u", method, "-p", str(expdir)),
        *("-c", config, "-o", override, *flags),
    ]


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
