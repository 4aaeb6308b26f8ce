"""Checkpoints that survive a kill: written whole or not at all, and removed when the next one is there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import torch

from s3prl_pemr.safety.whole_file import whole_file
from s3prl_pemr.toolkit.patching import replaced


@contextmanager
def safe_checkpoints(more: Callable[[], dict[str, Any]] = dict) -> Iterator[None]:
    """While it trains: s3prl/downstream/runner.py:393 removes states-*.ckpt before :419 writes the next.

    With max_keep 1 a run that is killed in between has nothing to resume from, or half a file.

    Args:
        more: what a checkpoint is to hold besides the toolkit's own.
    """
    save, remove = torch.save, os.remove
    outdated: list[Path] = []

    def whole_save(states, file, *args, **kwargs):
        if not isinstance(file, (str, os.PathLike)):
            save(states, file, *args, **kwargs)
            return
        path = Path(file)
        with whole_file(path, sync=True) as unfinished:
            save({**more(), **states}, unfinished, *args, **kwargs)
        if _is_resumable(path):
            for old in outdated:
                if old.exists() and not old.samefile(path):
                    remove(old)
            outdated.clear()

    def late_remove(path, **kwargs):
        if not kwargs and _is_resumable(Path(path)):
            outdated.append(Path(path))
        else:
            remove(path, **kwargs)

    with replaced(torch, "save", whole_save), replaced(os, "remove", late_remove):
        yield


def _is_resumable(path: Path) -> bool:
    return fnmatch(path.name, "states-*.ckpt")
