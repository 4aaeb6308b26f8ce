"""A front end that stays in float32 when the network around it is cast to half precision."""

from __future__ import annotations

import torch
from torch import nn

HALVES = (torch.float16, torch.bfloat16)


class FullPrecision(nn.Module):
    """Base of a module without parameters whose buffers survive `.half()` and `.bfloat16()` as they are.

    A spectrum's power spans more than float16 can hold, and torch has no STFT of bfloat16. The network behind
    casts what it is handed to its own precision.
    """

    def _apply(self, fn, recurse=True):
        """What `.half()`, `.to(...)` and `.cuda()` all call."""
        before = {name: buffer for name, buffer in self.named_buffers() if buffer.dtype not in HALVES}
        super()._apply(fn, recurse)
        for name, buffer in before.items():
            owner, _, leaf = name.rpartition(".")
            now = self.get_buffer(name)
            if now.dtype in HALVES:
                setattr(self.get_submodule(owner), leaf, buffer.to(now.device))
        return self
