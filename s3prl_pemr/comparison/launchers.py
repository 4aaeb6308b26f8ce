"""The command lines that a stage runs: those a user types."""

from __future__ import annotations

from pathlib import Path

from s3prl_pemr.toolkit.registration import PLUGIN_ROOT

CONFIG = "config_demo.yaml"  # beside PEMR's other settings, and beside each task's
PRETRAIN_CONFIG = PLUGIN_ROOT / "pretrain" / "pemr" / CONFIG
PROGRAM = ("-m", "s3prl_pemr")


def pretrain(method: str, expdir: Path, settings: dict, *flags: str) -> list[str]:
    """Arguments that pretrain a method with the demo's config, or go on with it.

    Args:
        method: -u.
        expdir: -p.
        settings: over PRETRAIN_CONFIG, dotted names to values.
        flags: further ones.
    """
    override = ",,".join(f"config.{name}={value}" for name, value in settings.items())
    return [*PROGRAM, "pretrain", "-a", "-u", method, "-p", str(expdir), "-c", CONFIG, "-o", override, *flags]


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
        *(*PROGRAM, "downstream", "-m", "train", "-a", "-u", upstream, *weights),
        *("-d", task, "-c", CONFIG, "-p", str(expdir), "-o", override, *flags),
    ]


def evaluate(expdir: Path, split: str, *flags: str) -> list[str]:
    """Arguments that score the best checkpoint of `train` on a split."""
    best = str(expdir / "dev-best.ckpt")
    return [*PROGRAM, "downstream", "-m", "evaluate", "-e", best, "-t", split, *flags]
