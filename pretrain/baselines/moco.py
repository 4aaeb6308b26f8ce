"""MoCo (He et al., CVPR 2020; the paper's [16]) and MoCo v2. B: clips, P: projection width, K: keys."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from s3prl.pretrain.crops.corruption import Corruption
from s3prl.pretrain.training.baseline import Baseline, positive_similarity
from s3prl.pretrain.training.global_batch import global_gather
from s3prl.pretrain.training.precision import at_least_float32
from s3prl.upstream.fcn4.projector import Projector
from torch import Tensor, nn

from s3prl_pemr.report.progress import Progress

from .momentum import MomentumEncoder
from .simclr import SimCLRConfig

logger = logging.getLogger(__name__)


@dataclass
class MoCoConfig(SimCLRConfig):
    """queue_size: K, in keys. momentum: m of its Eq. 2. key_groups: see `MoCo.keys`."""

    temperature: float = 0.07
    queue_size: int = 4080
    momentum: float = 0.999
    key_groups: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.queue_size, self.key_groups) < 1 or not 0 <= self.momentum <= 1:
            raise ValueError("queue_size and key_groups must be at least 1, momentum in [0, 1]")


def info_nce(queries: Tensor, keys: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """MoCo, Eq. 1: each query finds its key among the K keys of earlier batches.

    Args:
        queries, keys: L2-normalised projections of the two crops of B tracks, (B, P).
        queue: L2-normalised, (K, P).
        temperature: divides the cosines.

    Returns: the mean over this process's clips; DistributedDataParallel takes the mean over processes.
    """
    positive = (queries * keys).sum(dim=1, keepdim=True)  # (B, 1)
    logits = torch.cat([positive, queries @ queue.T], dim=1) / temperature
    return F.cross_entropy(logits, logits.new_zeros(len(logits), dtype=torch.int64))


class MoCo(Baseline):
    """Queries of the trained encoder, keys of a copy that follows it, negatives from a queue of keys."""

    Config = MoCoConfig

    def __init__(self, settings: dict, where: str):
        super().__init__(settings, where)
        self.key_encoder = MomentumEncoder(self.model.encoder, self.projector)

    def original_head(self, inputs: int) -> nn.Module:
        """facebookresearch/moco, moco/builder.py: one linear layer of 128."""
        return nn.Linear(inputs, 128)

    def fit_data(self, tracks: int, batch_size: int, crop_samples: int) -> None:
        """The queue: a multiple of the batch (an old batch goes as one comes), smaller than the store.

        Of K keys and N tracks, K^2 / 2 N^2 of the queries meet their own track's key of the epoch before as
        a negative: 2 % with 4,080 keys of MagnaTagATune's 18,706 clips, half where K reaches N.
        """
        wanted = self.objective.queue_size
        size = min(wanted, tracks - 1) // batch_size * batch_size
        if size == 0:
            raise ValueError(
                f"-u {self.name}: the queue is filled by the batch: queue_size {wanted} must be at least "
                f"train_batch_size {batch_size}, and the {tracks} tracks more"
            )
        if size != wanted:
            logger.warning(
                "queue_size %d becomes %d: below the %d tracks and a multiple of the batch of %d",
                wanted, size, tracks, batch_size,
            )  # fmt: skip
        self.objective.queue_size = size
        self.register_buffer("queue", torch.zeros(size, self.projection_dim))
        self.register_buffer("position", torch.zeros((), dtype=torch.int64))

    def prepare(self, batches: Iterator[Tensor]) -> None:
        """Fill the queue with real keys: random ones are easy, and the loss rises as they are replaced."""
        filled = 0
        with Progress(total=len(self.queue), desc="queue", unit="key", leave=False) as bar:
            while filled < len(self.queue):
                keys = self.keys(self.model.inputs(next(batches)).chunk(2)[1])
                self._enqueue(keys)
                filled += len(keys)
                bar.update(len(keys))

    def keys(self, view: Tensor) -> Tensor:
        """L2-normalised keys (B, P) of clips; each of `key_groups` groups has batch statistics of its own.

        MoCo, 3.3 (shuffling BN): were a query and its key normalised with the same clips, those statistics
        would give the pair away. There the groups are devices; ours are every key_groups-th clip. They are
        among the query's clips, so that the signature is weakened, not gone.
        """
        groups = self.objective.key_groups
        keys = view.new_empty(len(view), self.projection_dim, dtype=torch.float32)
        for group in range(min(groups, len(view))):
            keys[group::groups] = self.key_encoder(view[group::groups]).float()
        return F.normalize(keys, dim=1)

    def compare(
        self, view_a: Tensor, view_b: Tensor, corruption: Corruption | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Baseline.compare`."""
        vectors, z = self.represent(view_a)
        keys = self.keys(view_b)
        with torch.autocast(z.device.type, enabled=False):
            queries = F.normalize(at_least_float32(z), dim=1)
            loss = info_nce(queries, keys, self.queue.clone(), self.objective.temperature)
        self._enqueue(global_gather(keys))
        return vectors, {"loss": loss, "positive_similarity": positive_similarity(queries, keys)}

    def after_step(self, total_steps: int) -> None:
        """The key encoder follows."""
        self.key_encoder.follow(self.model.encoder, self.projector, self.objective.momentum)

    @torch.no_grad()
    def _enqueue(self, keys: Tensor) -> None:
        size = len(self.queue)
        self.queue[(self.position + torch.arange(len(keys), device=keys.device)) % size] = keys
        self.position.add_(len(keys)).remainder_(size)


@dataclass
class MoCoV2Config(MoCoConfig):
    """MoCo's, with v2's temperature."""

    temperature: float = 0.2


class MoCoV2(MoCo):
    """MoCo v2 (Chen et al. 2020): an MLP head of its own and another temperature."""

    Config = MoCoV2Config

    def original_head(self, inputs: int) -> nn.Module:
        """facebookresearch/moco, moco/builder.py, mlp: one hidden layer as wide as the representation."""
        return Projector(inputs, inputs, 128)
