"""A new run that begins with another run's weights (--init)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from s3prl.upstream.adapter.checkpoint import read_checkpoint
from torch import nn

FRONTEND = "frontend"


def take_initial_weights(model: nn.Module, path: str | Path, parts: Sequence[str] | None = None) -> list[str]:
    """Put a checkpoint's weights into the model, of all its parts or of those that are named.

    Args:
        model: what is pretrained; its direct children are the parts, by name.
        path: a checkpoint of run_pretrain.py, of any method.
        parts: None: every part that the model and the checkpoint both have.

    Returns: the parts that were taken.

    Raises:
        ValueError: one line: no checkpoint, a part that one of the two has not, or one of another shape.
    """
    weights = read_checkpoint(path)["Upstream"]
    own = dict(model.state_dict())
    there, here = ({name.split(".")[0] for name in state} for state in (weights, own))
    for part in parts or ():
        if part not in there & here:
            raise ValueError(
                f"--init_parts {part}: not in {path} and the model that is pretrained; both have "
                f"{', '.join(sorted(there & here)) or 'no part in common'}"
            )
    taken = sorted(set(parts) if parts else there & here)
    chosen = {name: value for name, value in weights.items() if name.split(".")[0] in taken}
    wanted = {name: value for name, value in own.items() if name.split(".")[0] in taken}
    other = sorted(chosen.keys() ^ wanted.keys()) + [
        name for name in sorted(chosen.keys() & wanted.keys()) if chosen[name].shape != wanted[name].shape
    ]
    if other or not taken:
        what = f"{other[0]} is another" if other else "no part in common"
        raise ValueError(
            f"--init {path}: does not fit the model that is pretrained ({what}); take its settings with -o, "
            "or name the parts that fit with --init_parts"
        )
    model.load_state_dict(chosen, strict=False)
    return taken
