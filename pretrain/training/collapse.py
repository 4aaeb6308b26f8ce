"""Is the representation collapsing? Two numbers of a batch's vectors. B: clips, P: width."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def embedding_std(vectors: Tensor) -> Tensor:
    """Collapse alarm: mean deviation of L2-normalised vectors, (B, P).

    0 is collapsed; vectors of all directions have 1 / sqrt(P) = 0.044; not negative behind a ReLU, 0.02 to
    0.027 is healthy. A few directions shared by all clips keep it healthy too: see `effective_rank`.
    """
    return F.normalize(vectors.detach().float(), dim=1).std(dim=0).mean()


def effective_rank(vectors: Tensor) -> Tensor:
    """In how many directions vectors (B, P) differ: 1 to min(B - 1, P), whatever their scale.

    RankMe (Garrido et al., ICML 2023, Eq. 1): exp of the entropy of the normalised singular values; here of
    the centred vectors, as a mean that all clips share tells none of them apart. 0 where all are equal.
    """
    vectors = vectors.detach().float()
    singular = torch.linalg.svdvals(vectors - vectors.mean(dim=0))
    total = singular.sum()
    share = singular / total.clamp(min=torch.finfo(total.dtype).tiny)
    return torch.where(total > 0, torch.special.entr(share).sum().exp(), torch.zeros_like(total))
