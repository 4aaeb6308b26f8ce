"""A head without the names of its outputs is worth nothing: what a checkpoint says of it must fit the run."""

from __future__ import annotations

from typing import Any

from s3prl_pemr.task.head_state import refuse_other_settings

NAMES_SHOWN = 5


def refuse_other_head(saved: dict[str, Any], own: dict[str, Any], store: str) -> None:
    """Compare what a checkpoint says with the run that loads it.

    Args:
        saved, own: `task`, `head` (its settings) and `tags` (names, in the order of the outputs).
        store: where the run's tags come from.

    Raises: ValueError (one line) where they differ.
    """
    refuse_other_settings(saved, own, ("task", "head"))
    if saved["tags"] == own["tags"]:
        return
    lost = [name for name in saved["tags"] if name not in own["tags"]]
    added = [name for name in own["tags"] if name not in saved["tags"]]
    if lost or added:
        difference = f"only in the checkpoint: {_some(lost)}; only in the store: {_some(added)}"
    else:
        difference = "the same ones in another order"
    raise ValueError(
        f"the checkpoint's {len(saved['tags'])} tags are not the {len(own['tags'])} of {store}: {difference}"
    )


def refuse_other_labels(saved: dict[str, Any], own: dict[str, Any]) -> None:
    """Compare the labels that a head was trained on with those that it is to be trained on further.

    Args:
        saved, own: `label_fraction` and `label_seed`; saved is empty in an older checkpoint.

    Raises: ValueError (one line) where they differ.
    """
    for what in ("label_fraction", "label_seed"):
        if saved and saved[what] != own[what]:
            raise ValueError(
                f"the checkpoint was trained with {what} {saved[what]}, this run has {own[what]}: take "
                "the same one, or train anew in another folder"
            )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return (", ".join(names[:NAMES_SHOWN]) or "none") + more
