"""An upstream of many layers that gives the one that is asked for (-l): the cache then keeps no other."""

from __future__ import annotations

from torch import Tensor, nn


class OneLayer(nn.Module):
    """Stands in for an upstream whose Featurizer has a layer_selection.

    Args:
        upstream: gives {selection: layers}, as a list, a tuple or a dict of (B, T, D).
        selection: -s.
        layer: -l; where there is one layer alone it is that, as s3prl/upstream/interfaces.py:225 has it.
    """

    def __init__(self, upstream: nn.Module, selection: str, layer: int):
        super().__init__()
        self.upstream, self.selection, self.layer = upstream, selection, layer

    def forward(self, wavs: list[Tensor]) -> dict[str, Tensor]:
        """1-D waveforms -> {selection: (B, T, D)}."""
        found = self.upstream(wavs)[self.selection]
        layers = list(found.values()) if isinstance(found, dict) else found
        if not isinstance(layers, list | tuple):
            return {self.selection: layers}
        return {self.selection: layers[0 if len(layers) == 1 else self.layer]}
