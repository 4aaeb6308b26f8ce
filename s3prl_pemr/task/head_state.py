"""What a checkpoint says of its head must fit the run that loads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def refuse_other_settings(saved: dict[str, Any], own: dict[str, Any], names: Sequence[str]) -> None:
    """Compare settings of a checkpoint's head, by their names, with those of the run.

    Raises: ValueError (one line) where one differs.
    """
    for what in names:
        if saved[what] != own[what]:
            raise ValueError(
                f"the checkpoint's {what} is {saved[what]}, this run's {own[what]}: take the settings it was "
                "trained with, or train anew in another folder"
            )
