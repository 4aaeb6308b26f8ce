"""A head's checkpoint where it lies now: s3prl/run_downstream.py:127 takes every argument from inside it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from s3prl_pemr.toolkit.patching import replaced


@contextmanager
def arguments_of_today(**changed: str) -> Iterator[None]:
    """While the toolkit loads heads: these of their arguments are as the command line has them."""
    load = torch.load

    def load_changed(*args, **kwargs):
        states = load(*args, **kwargs)
        if isinstance(states, dict) and isinstance(states.get("Args"), Namespace):
            vars(states["Args"]).update(changed)
        return states

    with replaced(torch, "load", load_changed):
        yield
