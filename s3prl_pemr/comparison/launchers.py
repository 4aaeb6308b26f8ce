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


def board(
    task: str, out: Path, upstream: str, checkpoint: Path | None, cover_model: str, settings: dict
) -> list[str]:
    """Arguments that score an upstream, or a cover model instead, on a task of mteb.

    Args:
        task: its name, or FILE.py:CLASS.
        out: --out.
        upstream, checkpoint: -u, -k.
        cover_model: --cover-model; '' takes the upstream.
        settings: flags without their dashes, and values.
    """
    weights = ["-k", str(checkpoint)] if checkpoint else []
    model = ["--cover-model", cover_model] if cover_model else ["-u", upstream, *weights]
    flags = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    return [*PROGRAM, "mteb", task, *model, "--out", str(out), *flags]


def lay_out(
    store: Path, out: Path, upstream: str, checkpoint: Path | None, layer: int | None, split: str, clips: int
) -> list[str]:
    """Arguments that lay out the clips of a store by what an upstream hears, into an .npz.

    Args:
        store: of the clips.
        out: the .npz.
        upstream, checkpoint: -u, -k.
        layer: of the hidden states; None: the last.
        split: of the store; '' for all its clips.
        clips: at most as many are drawn.
    """
    weights = ["-k", str(checkpoint)] if checkpoint else []
    part = ["--split", split] if split else []
    states = [] if layer is None else ["--layer", str(layer)]
    flags = ["-u", upstream, *weights, *states, *part, "--clips", str(clips)]
    return [*PROGRAM, "map", str(store), "-o", str(out), *flags]


def _override(settings: dict) -> str:
    return ",,".join(f"{name}={value}" for name, value in settings.items())
