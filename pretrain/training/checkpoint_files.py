"""Checkpoints on disk: written whole or not at all, pruned only once a newer one is there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import torch

NAME = re.compile(r"states-(\d+)\.ckpt")


def checkpoints(expdir: Path) -> dict[int, Path]:
    """All `states-STEP.ckpt` by their step, in its order."""
    found = {int(match[1]): path for path in expdir.glob("*") if (match := NAME.fullmatch(path.name))}
    return dict(sorted(found.items()))


def save(states: dict, path: Path) -> None:
    """Write to a file beside it, flush it to the disk, then rename: a reader never sees half a file."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        torch.save(states, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def prune(expdir: Path, max_keep: int) -> None:
    """Remove all but the newest `max_keep` checkpoints; milestones have another name and stay."""
    for path in list(checkpoints(expdir).values())[:-max_keep]:
        path.unlink()


def latest(path: Path) -> Path:
    """The checkpoint meant by a file or an experiment folder.

    Raises:
        ValueError: one line: there is none.
    """
    if path.is_file():
        return path
    found = checkpoints(path)
    if not found:
        raise ValueError(f"{path} holds no states-STEP.ckpt to go on from")
    return found[max(found)]
