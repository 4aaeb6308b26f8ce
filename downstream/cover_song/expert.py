"""s3prl's downstream interface: tracks become embeddings, which are ranked by their cosines."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from s3prl.utility.data import get_ddp_sampler
from torch import Tensor
from torch.utils.data import DataLoader

from s3prl_pemr.features.time_pooling import time_mean
from s3prl_pemr.safety.obedient_loader import ObedientLoader
from s3prl_pemr.settings import parse
from s3prl_pemr.task.expert import BEST, TaskExpert
from s3prl_pemr.task.randomness import order_generator

from .batch_norm import recalibrate_batch_norm
from .config import CoverConfig
from .cqt.cache import CqtCache
from .cqt.columns import pad_columns
from .cqt.crops import CropBatches
from .cqt.joined import JoinedCqt, columns_of
from .dataset import CroppedTracks, WholeTracks
from .head_state import head_state, read_published_weights, refuse_other_head
from .model import HEADS, READY, REVISION, CoverHead
from .ranking.report import Retrieval
from .splits import Split, Splits
from .training import class_loss, warn_of_rate
from .training_free.chroma import tonal_chroma
from .training_free.rerank import by_alignment

logger = logging.getLogger(__name__)


class DownstreamExpert(TaskExpert):
    """`-d cover_song`.

    Which works the classifier tells apart is saved with the weights; scoring needs no classifier.

    Raises: ValueError (one line) for wrong settings, and for a store that cannot be trained on or scored.
    """

    def __init__(
        self,
        downstream_expert: dict[str, Any],
        runner: dict[str, Any],
        evaluate_split: str = "test",
        **arguments: Any,
    ):
        self.config = parse(CoverConfig, downstream_expert, "downstream_expert of the task's config")
        self.kind = self.config.modelrc.kind
        super().__init__(needs_checkpoint=self.kind not in READY, **arguments)
        self.uses_upstream, network = HEADS[self.kind]
        self.uses_cqt = network is not None
        self.windows = self.config.datarc.windows if self.upstream_trainable else 0
        self._caches: dict[Path, CqtCache | JoinedCqt] = {}
        self.head: CoverHead | None = None
        self._recalibrated = False  # since the last training step
        if self.upstream_trainable and not self.uses_upstream:
            raise ValueError(f"-f trains an upstream that the head {self.kind} does not use: leave it out")
        if self.kind in READY:
            if self.mode == "train":
                raise ValueError(f"the head {self.kind} has nothing to train: score it with -m evaluate")
            self._make_head([])
        if self.mode == "inference":
            return
        self.splits = Splits(self.config.datarc)
        if self.mode == "evaluate":
            self.splits.check_retrieval([evaluate_split], against_training=False)
            self._warn_of_heard([evaluate_split])
            return
        warn_of_rate(arguments.get("optimizer"), self.config.datarc.train_batch_size)
        self.splits.check_training()
        self.splits.check_retrieval(runner["eval_dataloaders"], against_training=True)
        self._warn_of_heard(runner["eval_dataloaders"])
        self._make_head(sorted(set(self.splits["train"].works)))
        if self.config.modelrc.cqtnet_weights and self.checkpoint is None:
            self.head.network.load_published(read_published_weights(self.config.modelrc.cqtnet_weights))

    def _make_head(self, works: list[str], revision: int = REVISION) -> None:
        self.works, self.revision = works, revision
        self.head = CoverHead(self.kind, self.upstream_dim, len(works), revision).to(self.best_score.device)

    def _warn_of_heard(self, splits: Sequence[str]) -> None:
        for split in splits if self.uses_upstream else ():
            if split != "train":
                _, name = self.config.datarc.store_and_split(split)
                self.warn_of_heard(split, self.splits[split].store, name)

    def get_extra_state(self) -> dict[str, Any]:
        """What a checkpoint holds beside the weights."""
        return head_state(self.kind, self.upstream_dim, self.works, self.revision)

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Called by load_state_dict before the head's own weights are loaded.

        Raises: ValueError (one line) where the checkpoint is of another head, or trained on other works.
        """
        works, revision = list(state["works"]), state.get("revision", 1)
        own = head_state(self.kind, self.upstream_dim, works if self.head is None else self.works, revision)
        refuse_other_head(state, own, self.config.datarc.store)
        if self.head is None or self.revision != revision:
            self._make_head(works, revision)

    def get_dataloader(self, split: str, epoch: int | None = None) -> DataLoader:
        """s3prl hook: see downstream/example/expert.py. The training loop alone passes the epoch."""
        datarc, chosen = self.config.datarc, self.splits[split]
        cqt = self._columns(chosen) if self.uses_cqt else None
        if epoch is None:
            self._recalibrate()
            unknown = [-1] * len(chosen.tracks)
            tracks = WholeTracks(chosen, unknown, cqt, self.uses_upstream, self.shortest_samples)
            batches: dict[str, Any] = {"batch_size": datarc.eval_batch_size}
        else:
            numbers = {work: number for number, work in enumerate(self.works)}
            classes = [numbers[work] for work in chosen.works]
            keys = {"augmentrc": self.config.augmentrc, "windows": self.windows}
            keys |= {"seed": self.seed, "epoch": epoch, "datarc": datarc}
            tracks = CroppedTracks(chosen, classes, cqt, self.uses_upstream, self.shortest_samples, **keys)
            order = get_ddp_sampler(tracks, epoch)
            if order is None:
                order = torch.randperm(len(tracks), generator=order_generator(self.seed, epoch)).tolist()
            sampler = CropBatches(order, datarc.train_batch_size, datarc.crop_columns, epoch)
            batches = {"batch_sampler": sampler}
        batches |= {"collate_fn": tracks.collate}
        return ObedientLoader(tracks, num_workers=datarc.num_workers, **batches)

    def _recalibrate(self) -> None:
        """Before the first split of an evaluation in a training run, if modelrc wants it."""
        batches = self.config.modelrc.recalibrate_batch_norm
        if self.mode != "train" or self._recalibrated or not (batches and self.uses_cqt):
            return
        device = self.best_score.device
        training = islice(self.get_dataloader("train", epoch=0), batches)
        crops = (cqt.unsqueeze(1).to(device) for _, cqt, *_ in training)
        done = recalibrate_batch_norm(self.head.network, crops)
        self._recalibrated = True
        logger.info("%s", done)

    def _columns(self, split: Split) -> CqtCache | JoinedCqt:
        path = split.store.path
        if path not in self._caches:
            self._caches[path] = columns_of(split.store, self.config.datarc.cqt_jobs or None)
        return self._caches[path]

    def forward(
        self,
        split: str,
        features: Sequence[Tensor],
        cqts: Sequence[Tensor] | Tensor | None,
        classes: Tensor,
        tracks: list[str],
        records: dict[str, list],
        **_,
    ) -> Tensor:
        """s3prl hook: the loss of a batch; an evaluation has none and gathers embeddings.

        Args:
            split: its name.
            features: per waveform (L, D): of the upstream.
            cqts: crops (B, 84, T), or whole tracks of (84, any), where the head uses them.
            classes: (B,), on the CPU.
            tracks: names, (B,).
            records: where a step leaves what log_records needs.
        """
        if not self.training:
            embeddings = self.embed(features, cqts, tracks)
            records["embeddings"].append(embeddings.float().cpu().numpy())
            records["tracks"] += tracks
            if self.mode == "evaluate" and self.config.modelrc.rerank:
                records["chroma"] += [tonal_chroma(cqt.numpy()) for cqt in cqts]
            return embeddings.new_zeros(())
        self._recalibrated = False
        mean = self._upstream_mean(features, tracks) if self.uses_upstream else None
        device = self.best_score.device
        crops = cqts.to(device) if self.uses_cqt else None
        precision = self.config.modelrc.precision
        loss, accuracy = class_loss(self.head, mean, crops, classes.to(device), precision)
        records["loss"].append(loss.item())
        self.refuse_not_finite(records["loss"][-1], tracks)
        records["accuracy"].append(accuracy)
        return loss

    def _upstream_mean(self, features: Sequence[Tensor], tracks: Sequence[str]) -> Tensor:
        """Mean over the frames of each waveform, then over each track's waveforms: (B, D)."""
        if min(len(frames) for frames in features) == 0:
            raise ValueError(f"one of {', '.join(tracks)} is too short for a frame of the upstream")
        return time_mean(features).unflatten(0, (len(tracks), -1)).mean(dim=1)

    def embed(
        self, features: Sequence[Tensor], cqts: Sequence[Tensor] | None, tracks: Sequence[str]
    ) -> Tensor:
        """Embeddings of whole tracks, one by one: zeros behind the shorter ones would change theirs.

        Args:
            features: of the upstream, a waveform per track; not looked at by a head without it.
            cqts: (84, any) per track, each divided by its peak; not looked at by a head without a network.
            tracks: their names.

        Returns: (B, E).
        """
        means = self._upstream_mean(features, tracks) if self.uses_upstream else None
        columns, embedded = self.config.datarc.eval_columns, []
        for row in range(len(tracks)):
            mean = None if means is None else means[row : row + 1]
            cqt = None
            if self.uses_cqt:
                cqt = pad_columns(cqts[row].to(self.best_score.device), columns)[None, None]
            embedded.append(self.head(mean, cqt))
        return torch.cat(embedded)

    def log_records(
        self, split: str, records: dict[str, list], logger, global_step: int, **_
    ) -> list[str] | None:
        """s3prl hook: logs losses or scores, and asks for BEST if dev was never better."""
        if not records["embeddings"]:
            for key in ("loss", "accuracy"):
                logger.add_scalar(f"cover_song/{split}-{key}", float(np.mean(records[key])), global_step)
            return None
        works = self.splits[split].works[: len(records["tracks"])]  # fewer with the runner's evaluate_ratio
        rerank = by_alignment(records["chroma"], self.config.modelrc.rerank)
        found = Retrieval(split, records["tracks"], works, np.concatenate(records["embeddings"]), rerank)
        for key in ("map", "precision_at_10", "mr1", "mean_cosine"):
            logger.add_scalar(f"cover_song/{split}-{key}", found.results[key], global_step)
        found.tell(intervals=self.mode != "train")
        best = self.mode == "train" and split == "dev" and self.is_best(found.results["map"], global_step)
        if self.mode != "train" or self.is_best_step(global_step):
            found.write(self.expdir, self._about())
        return [BEST] if best else None

    def _about(self) -> dict[str, Any]:
        return {
            "head": self.kind,
            "checkpoint": BEST if self.mode == "train" else self.checkpoint,
            **self.reported,
            "parameters_without_classifier": self.head.parameters_without_classifier,
            "trained_works": len(self.works),
            "aligned_candidates": self.config.modelrc.rerank * (self.mode == "evaluate"),
        }

    def inference(self, features: Sequence[Tensor], filenames: Sequence[str]) -> None:
        """s3prl hook of -m inference, which hands over features where this task needs the audio."""
        raise ValueError("cover_song embeds and identifies files with `s3prl-pemr covers`")
