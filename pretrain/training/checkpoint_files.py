"""Checkpoints on disk: written whole or not at all, pruned only once a newer one is there."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from s3prl_pemr.safety.damage import refuse_damaged_newest
from s3prl_pemr.safety.whole_file import whole_file

NAME = re.compile(r"states-(\d+)\.ckpt")


def checkpoints(expdir: Path) -> dict[int, Path]:
    """All `states-STEP.ckpt` by their step, in its order."""
    found = {int(match[1]): path for path in expdir.glob("*") if (match := NAME.fullmatch(path.name))}
    return dict(sorted(found.items()))


def save(states: dict, path: Path) -> None:
    """Written whole, and on the disk when it is there. Raises OSError."""
    with whole_file(path, sync=True) as file:
        torch.save(states, file)


def prune(expdir: Path, max_keep: int) -> None:
    """Remove all but the newest `max_keep` checkpoints; milestones have another name and stay."""
    for path in list(checkpoints(expdir).values())[:-max_keep]:
        path.unlink()


def latest(path: Path) -> Path:
    """The checkpoint meant by a file or an experiment folder.

    Raises:
        ValueError: one line: there is none, or the newest one is damaged; which older one is not.
    """
    if path.is_file():
        return path
    found = checkpoints(path)
    if not found:
        raise ValueError(f"{path} holds no states-STEP.ckpt to go on from")
    newest = found[max(found)]
    refuse_damaged_newest(list(found.values()))
    return newest
