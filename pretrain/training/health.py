"""Losses and gradients that went wrong: at which step, and on which tracks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.safety.whole_file import write_whole

NOT_FINITE_FILE = "not_finite.json"


class Health:
    """Remembers on the device whether each step was finite: nothing waits for it before it is asked."""

    def __init__(self):
        self._steps: list[int] = []
        self._finite: list[Tensor] = []

    def note(self, step: int, values: Sequence[Tensor]) -> None:
        """The loss and the gradient norms, scalars, of a step."""
        self._steps.append(step)
        self._finite.append(torch.isfinite(torch.stack([value.float() for value in values])).all())

    def first_bad_step(self) -> int | None:
        """The first step since the last call at which a value was NaN or infinite; None where none was."""
        steps, finite = self._steps, self._finite
        self._steps, self._finite = [], []
        if not steps or all(flags := torch.stack(finite).tolist()):
            return None
        return steps[flags.index(False)]


def refusal(step: int, tracks: Sequence[str], expdir: Path, writes: bool) -> str:
    """What to say of such a step, in one line.

    Args:
        step: of the run, from 1.
        tracks: names of the whole batch.
        expdir: where NOT_FINITE_FILE lists all of them.
        writes: whether this process writes it.
    """
    if writes:
        found = {"step": step, "tracks": list(tracks)}
        write_whole(expdir / NOT_FINITE_FILE, (json.dumps(found, indent=1) + "\n").encode())
    return (
        f"the loss or a gradient is not finite at step {step}: go on from the last checkpoint in {expdir} "
        'with -a and a lower -o "config.optimizer.lr=..." or precision fp32; its batch was of '
        f"{name_some(tracks)} (all in {NOT_FINITE_FILE})"
    )
