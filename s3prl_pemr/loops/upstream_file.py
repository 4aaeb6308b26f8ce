"""An upstream's checkpoint inside its head's: a head that is moved takes along what it was trained on."""

from __future__ import annotations

import logging
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from s3prl.upstream.adapter.checkpoint import NEEDED, read_checkpoint
from s3prl.upstream.adapter.weights_file import SUFFIX, read_weights

from s3prl_pemr.features.identity import file_identity
from s3prl_pemr.report.printable import printable

logger = logging.getLogger(__name__)

KEY = "Upstream_File"  # in a head's checkpoint; one of 0.1.0 has none
# What an upstream reads of its checkpoint, and what says which music it heard.
PARTS = (*NEEDED, "Heard", "Data", "Config", "Card")


def kept_file(args: Namespace, saved: dict[str, Any]) -> dict[str, Any] | None:
    """What the checkpoints of a run hold of its upstream's: `path`, `sha256` and `states` (PARTS).

    Args:
        args: of the run.
        saved: the checkpoint that it goes on from; empty for a new one.

    Returns: None for an upstream without a checkpoint, or with one that is not run_pretrain.py's.
    """
    kept, path = saved.get(KEY), args.upstream_ckpt
    if kept is not None and path == kept["path"]:
        return kept
    if not path or not Path(path).expanduser().is_file():
        return None
    if not _is_ours(Path(path).expanduser()):
        return None
    states = read_checkpoint(path)
    states = {name: states[name] for name in PARTS if name in states}
    return {"path": str(path), "sha256": file_identity(path), "states": states}


def _is_ours(path: Path) -> bool:
    """Whether it holds weights of a method of ours; any upstream's file may stand there."""
    try:
        if path.suffix == SUFFIX:
            return bool(read_weights(path))
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return isinstance(found, dict) and set(NEEDED) <= set(found)
    except Exception:
        return False


@contextmanager
def at_hand(args: Namespace, saved: dict[str, Any]) -> Iterator[None]:
    """In it, args.upstream_ckpt leads to what the head was trained on, unless the user named another file.

    Args: as `kept_file`.
    """
    kept, path = saved.get(KEY), args.upstream_ckpt
    if kept is None or "://" in str(path):
        yield
        return
    there = Path(path).expanduser().is_file()
    same = there and file_identity(path) == kept["sha256"]
    if same or path != kept["path"]:
        if there and not same:
            logger.warning("%s: not the checkpoint that the head was trained on", printable(str(path)))
        yield
        return
    what = "has another content now" if there else "is no longer there"
    logger.info("upstream's checkpoint %s %s: the head's copy is used", printable(str(path)), what)
    with tempfile.TemporaryDirectory() as folder:
        args.upstream_ckpt = str(Path(folder) / "upstream.ckpt")
        torch.save(kept["states"], args.upstream_ckpt)
        try:
            yield
        finally:
            args.upstream_ckpt = path


def refuse_other_files(path: str | None, upstream: str, error: Exception) -> None:
    """Whether the file of -k is at fault for an upstream's error, such as `KeyError: 101` for a text.

    Args:
        path: of -k; a folder, an address and nothing are left to the upstream.
        upstream: of -u.
        error: what it raised; what speaks for itself is left as it is.

    Raises:
        ValueError: one line: torch.save did not write it.
    """
    if not path or not Path(path).is_file() or isinstance(error, ValueError | OSError):
        return
    with Path(path).open("rb") as file:
        start = file.read(2)
    if not start.startswith((b"\x80", b"PK")):  # a pickle, a zip archive: all that torch.save writes
        what = "no checkpoint" if start else "empty"
        raise ValueError(f"-k {path}: is {what}; name a file that -u {upstream} reads") from error
