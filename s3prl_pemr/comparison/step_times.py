"""What the steps of a pretraining run took, from its log.jsonl."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import yaml


def step_seconds(expdir: Path) -> list[float]:
    """Seconds of each step of a finished run that has logged every step (`log_step: 1`).

    A first step includes the loader's start; what comes before it (statistics, queues) is in none.

    Raises:
        ValueError: one line: the times cannot be read, or some are missing.
    """
    log = expdir / "log.jsonl"
    try:
        settings = yaml.safe_load((expdir / "config_runner.yaml").read_text(encoding="utf-8"))
        clips = settings["pretrain_expert"]["datarc"]["train_batch_size"]
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        steps = [line["step"] for line in lines]
        seconds = [clips / line["clips_per_second"] for line in lines]
    except (OSError, LookupError, TypeError, ValueError, ZeroDivisionError, yaml.YAMLError) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ValueError(
            f"{log}: what a step took cannot be read ({reason}); remove {expdir.parent} to run it again"
        ) from error
    if not steps or steps != list(range(1, len(steps) + 1)):
        raise ValueError(
            f"{log}: not every step from the first on is there once; remove {expdir.parent} to run it again"
        )
    return seconds


def warm_step_seconds(seconds: list[float]) -> float:
    """Median over all steps but the first one, which waits for the loader to start.

    Raises:
        ValueError: one line: fewer than two steps.
    """
    if len(seconds) < 2:
        raise ValueError(f"the pace of a run needs at least 2 steps, got {len(seconds)}")
    return statistics.median(seconds[1:])


def steps_within(budget_seconds: float, warm_seconds: float) -> int:
    """Whole steps that fit.

    Raises:
        ValueError: one line: not even one does.
    """
    steps = int(budget_seconds // warm_seconds)
    if steps == 0:
        raise ValueError(f"no step fits into {budget_seconds:g} s: one takes {warm_seconds:.2f} s")
    return steps
