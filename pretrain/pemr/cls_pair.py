"""A loss that trains [CLS], whose query decides on the masks (Eq. 4) and which no loss of the paper reaches.

B: tracks, D: width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from s3prl.pretrain.training.global_batch import global_gather
from s3prl.pretrain.training.precision import at_least_float32
from torch import Tensor


def cls_pair_loss(cls_a: Tensor, cls_b: Tensor, temperature: float) -> Tensor:
    """Each crop's [CLS] tells the other crop of its track from those of the batch's other tracks.

    InfoNCE (van den Oord et al. 2018, Eq. 4) of cosines, in both directions, over the global batch. Not in
    the paper.

    Args:
        cls_a, cls_b: last states of [CLS] of the two crops of this process's tracks, (B, D).
        temperature: divides the cosines.

    Returns: scalar; the same in every process.
    """
    with torch.autocast(cls_a.device.type, enabled=False):
        a, b = (global_gather(F.normalize(at_least_float32(states), dim=1)) for states in (cls_a, cls_b))
        logits = a @ b.T / temperature  # (tracks, tracks)
        own = torch.arange(len(logits), device=logits.device)
        return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
