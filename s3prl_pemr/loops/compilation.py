"""A function compiled by torch.compile, where that pays, and as it is where it cannot be done."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

logger = logging.getLogger(__name__)
AUTO, ON, GRAPHS, OFF = WAYS = ("auto", "on", "graphs", "off")
WORTH_STEPS = 2_000  # of `auto`: the first step waits for the compiler, on a GPU it was not timed how long
BACKEND = "inductor"
Result = TypeVar("Result")


def compile_here(way: str, device: torch.device | str, steps: int, processes: int) -> str:
    """The way itself; of `auto` `on` where it should pay (not timed yet): one process, CUDA, WORTH_STEPS."""
    if way != AUTO:
        return way
    pays = torch.device(device).type == "cuda" and processes == 1 and steps >= WORTH_STEPS
    return ON if pays else OFF


class Compiled:
    """Calls a module compiled, from its first step on or not at all."""

    def __init__(self, module: nn.Module, way: str):
        """Args: way: `on`; `graphs`, in CUDA graphs; or `off`."""
        self._module, self._plain = module, lambda *inputs: module(*inputs)
        self._call, self._tried, self.way = self._plain, way == OFF, way
        if way != OFF:
            mode = "reduce-overhead" if way == GRAPHS else None
            self._call = torch.compile(self._plain, backend=BACKEND, mode=mode, dynamic=False)

    def __call__(self, *inputs):
        """As the module. What CUDA graphs return is theirs: the next call writes over it."""
        if self.way == GRAPHS:
            torch.compiler.cudagraph_mark_step_begin()
        return self._call(*inputs)

    def first(self, step: Callable[[], Result]) -> Result:
        """`step()`, forward and backward; the first one once more, without a compiler, where that fails.

        What the failed one has moved is put back: buffers (batch statistics), gradients, the random state.
        """
        if self._tried:
            return step()
        self._tried = True
        before = {name: buffer.clone() for name, buffer in self._module.named_buffers()}
        random = torch.get_rng_state()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the compiler, about itself
                return step()
        except Exception as error:  # a compiler's failures have no class in common
            first_line = (str(error).strip() or "no reason given").splitlines()[0]
            reason = f"{type(error).__name__}: {first_line}"
        self._call, self.way = self._plain, OFF
        with torch.no_grad():
            for name, buffer in self._module.named_buffers():
                buffer.copy_(before[name])
        self._module.zero_grad()
        torch.set_rng_state(random)
        result = step()  # what was not the compiler's fault comes again here, as what it is
        logger.warning("compile: cannot be done here (%s); this run goes on without", reason)
        return result
