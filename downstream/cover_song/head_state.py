"""What a checkpoint says of its head must fit the run that loads it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from s3prl_pemr.task.head_state import refuse_other_settings

from .cqt.transform import SETTINGS
from .model import HEADS


def head_state(kind: str, upstream_dim: int, works: list[str], revision: int) -> dict[str, Any]:
    """What is saved beside the weights: `works` are the classes, in their order; `revision`: see model.py."""
    uses_upstream, network = HEADS[kind]
    return {
        "head": kind,
        "upstream_dim": upstream_dim if uses_upstream else None,
        "cqt": asdict(SETTINGS) if network else None,
        "works": list(works),
        "revision": revision,
    }


def refuse_other_head(saved: dict[str, Any], own: dict[str, Any], where: str) -> None:
    """Raises ValueError (one line) where a checkpoint's head_state differs from the run's.

    Args:
        saved, own: see head_state.
        where: which works the run's are.
    """
    refuse_other_settings(saved, own, ("head", "upstream_dim", "cqt"))
    if saved["works"] != own["works"]:
        raise ValueError(
            f"the checkpoint tells {len(saved['works'])} works apart, which are not the {len(own['works'])} "
            f"of {where}: train anew in another folder"
        )


def read_published_weights(path: str) -> dict[str, Any]:
    """A state_dict from a file. Raises ValueError (one line) where there is none."""
    if not Path(path).is_file():
        raise ValueError(f"cqtnet_weights {path}: no such file")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises what the unpickler of the day raises
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"cqtnet_weights {path}: no file of weights ({reason})") from error
    if not isinstance(state, dict):
        raise ValueError(f"cqtnet_weights {path}: holds a {type(state).__name__}, not a state_dict")
    return state
