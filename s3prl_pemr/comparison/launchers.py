"""The command lines that a stage runs: those a user types."""

from __future__ import annotations

from pathlib import Path

from s3prl_pemr.toolkit.registration import PLUGIN_ROOT

CONFIG = "config_demo.yaml"  # beside PEMR's other settings, and beside each task's
PRETRAIN_CONFIG = PLUGIN_ROOT / "pretrain" / "pemr" / CONFIG
PROGRAM = ("-m", "s3prl_pemr")


def pretrain(method: str, expdir: Path, settings: dict, *flags: str, config: str = CONFIG) -> list[str]:
    """Arguments that pretrain a method, or go on with it.

    Args:
        method: -u.
        expdir: -p.
        settings: what -o sets, dotted names to values.
        flags: further ones.
        config: -c; the demo's unless said; '' takes the method's own.
    """
    chosen = ["-c", config] if config else []
    return [
        *(*PROGRAM, "pretrain", "-a", "-u", method, "-p", str(expdir)),
        *(*chosen, "-o", _override(settings), *flags),
    ]


def train(
    task: str,
    upstream: str,
    checkpoint: Path | None,
    expdir: Path,
    settings: dict,
    *flags: str,
    config: str = CONFIG,
) -> list[str]:
    """Arguments that train a task's head, or go on with it.

    Args:
        task: -d.
        upstream, checkpoint: -u, -k.
        expdir: -p.
        settings: what -o sets, dotted names to values.
        flags: further ones.
        config: -c; the demo's unless said; '' takes the task's own.
    """
    weights = ["-k", str(checkpoint)] if checkpoint else []
    chosen = ["-c", config] if config else []
    return [
        *(*PROGRAM, "downstream", "-m", "train", "-a", "-u", upstream, *weights),
        *("-d", task, *chosen, "-p", str(expdir), "-o", _override(settings), *flags),
    ]


def evaluate(expdir: Path, split: str, *flags: str) -> list[str]:
    """Arguments that score the best checkpoint of `train` on a split."""
    best = str(expdir / "dev-best.ckpt")
    return [*PROGRAM, "downstream", "-m", "evaluate", "-e", best, "-t", split, *flags]


def _override(settings: dict) -> str:
    return ",,".join(f"{name}={value}" for name, value in settings.items())
