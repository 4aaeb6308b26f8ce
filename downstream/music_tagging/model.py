"""A head on clip vectors. B: clips, D: feature dimensions, T: tags."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class LinearHead(nn.Linear):
    """Clip vectors (B, D) -> logits (B, T)."""


class MlpHead(nn.Sequential):
    """One hidden layer: clip vectors (B, D) -> logits (B, T)."""

    def __init__(self, input_dim: int, tags: int, hidden_dim: int, dropout: float = 0.0):
        # One module, so that the weights' names are those of 0.1.
        activation = nn.Sequential(nn.ReLU(), nn.Dropout(dropout))
        super().__init__(nn.Linear(input_dim, hidden_dim), activation, nn.Linear(hidden_dim, tags))


class Standardisation(nn.BatchNorm1d):
    """Clip vectors (B, D) -> the same with mean 0 and deviation 1 in every dimension; nothing is learned.

    A linear head behind it is still a linear head, but trains alike on features of any scale (as the linear
    probes of He et al., "Masked Autoencoders", 2022, appendix A.1). A lone clip is standardised with the
    running statistics.
    """

    def __init__(self, dim: int):
        # features of a small scale are features too: the floor is only against a division by zero
        super().__init__(dim, eps=1e-8, affine=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """(B, D) -> (B, D)."""
        if self.training and len(vectors) == 1:
            return F.batch_norm(vectors, self.running_mean, self.running_var, eps=self.eps)
        return super().forward(vectors)


def make_head(
    kind: str, input_dim: int, tags: int, hidden_dim: int, standardise: bool = False, dropout: float = 0.0
) -> nn.Module:
    """`kind` is linear or mlp (paper Table 2); `hidden_dim` and `dropout` are for the second one."""
    head = MlpHead(input_dim, tags, hidden_dim, dropout) if kind == "mlp" else LinearHead(input_dim, tags)
    return nn.Sequential(Standardisation(input_dim), head) if standardise else head
