"""s3prl's downstream interface: a head on an upstream's features pooled over time, scored clip by clip."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from s3prl.utility.data import get_ddp_sampler
from torch import Tensor, nn
from torch.utils.data import DataLoader

from s3prl_pemr.audio import read_recording, to_float32, to_int16
from s3prl_pemr.features.time_pooling import POOLINGS, pooled_width
from s3prl_pemr.features.waveforms import pad_to
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.report.scores_file import write_scores
from s3prl_pemr.safety.obedient_loader import ObedientLoader
from s3prl_pemr.settings import parse
from s3prl_pemr.task.expert import BEST, TaskExpert
from s3prl_pemr.task.randomness import order_generator

from .config import TaggingConfig
from .head_state import refuse_other_head, refuse_other_labels
from .labels.splits import Splits
from .labels.task import TASKS
from .model import make_head
from .scoring.calibration import calibration, fitted_temperature, told
from .scoring.evaluation import Evaluation
from .scoring.report import write_details, write_predictions
from .scoring.scored_clips import ScoredClips

logger = logging.getLogger(__name__)


class DownstreamExpert(TaskExpert):
    """`-d music_tagging`.

    The names of the tags and what the head is are saved with its weights and refused where they differ; with
    `-m inference` they come from there, and no store is needed.

    Raises: ValueError (one line) for wrong settings, and for a store that cannot be trained on or scored.
    """

    same_clips_each_epoch = True  # of a frozen upstream: its features are kept unless --feature_cache none

    def __init__(
        self,
        downstream_expert: dict[str, Any],
        runner: dict[str, Any],
        evaluate_split: str = "test",
        **arguments: Any,
    ):
        super().__init__(**arguments)
        self.config = parse(TaggingConfig, downstream_expert, "downstream_expert of the task's config")
        self.kind = TASKS[self.config.task]
        self.feature_pooling = self.config.modelrc.pooling
        self.training_labels: dict[str, Any] = {}  # what the head is or was trained on
        self.temperature: float | None = None  # None: a head of 0.1, or one that dev has not seen yet
        self._named: set[str] = set()  # splits whose left-out tags have been named
        self._told = False  # what -m inference says once, of its numbers
        self.head: nn.Module | None = None
        if self.mode == "inference":
            return
        self.splits = Splits(self.config, self.kind, self.shortest_samples)
        splits = ["train", *runner["eval_dataloaders"]] if self.mode == "train" else [evaluate_split]
        self.splits.check(splits)
        for split in splits:
            if split != "train":
                self.warn_of_heard(split, self.splits.store, self.config.datarc.store_split(split))
        if self.mode == "train":
            self.training_labels = self.splits.training_labels()
        self._make_head(self.splits.names)
        if self.mode == "train":
            self.task.fit(self.splits.targets("train"))
        else:
            self.evaluation = Evaluation(self.splits, self.task, self.config.bootstrap)

    def _make_head(self, names: list[str]) -> None:
        self.names = names
        self.task = self.kind(len(names))
        head = self.config.modelrc
        width = pooled_width(head.pooling, self.upstream_dim)
        self.head = make_head(head.kind, width, len(names), head.hidden_dim, head.standardise, head.dropout)
        self.head.to(self.best_score.device)

    def get_extra_state(self) -> dict[str, Any]:
        """What a checkpoint holds beside the weights."""
        head = {"upstream_dim": self.upstream_dim, **self.config.modelrc.in_force()}
        about = {"task": self.config.task, "head": head, "tags": list(self.names)}
        return {**about, "training_labels": self.training_labels, "temperature": self.temperature}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Called by load_state_dict before the head's own weights are loaded.

        Raises: ValueError (one line) where the checkpoint is of other tags, another task or another head.
        """
        if self.head is None:
            self._make_head(list(state["tags"]))
        refuse_other_head(state, self.get_extra_state(), self.config.datarc.store)
        saved = state.get("training_labels", {})  # older checkpoints say nothing of it
        self.temperature = state.get("temperature")
        if self.mode == "train":
            refuse_other_labels(saved, self.training_labels)
            return
        self.training_labels = saved
        trained_on = saved.get("trained_on")
        if self.mode == "evaluate" and trained_on and trained_on != self.splits.data_set:
            logger.warning(
                "the head was trained on %s, this store is %s: none of its clips should be among those",
                trained_on,
                self.splits.data_set,
            )

    def get_dataloader(self, split: str, epoch: int | None = None) -> DataLoader:
        """s3prl hook: see downstream/example/expert.py. The training loop alone passes the epoch."""
        datarc = self.config.datarc
        if epoch is None:
            clips = self.splits.scored(split)
            order: dict[str, Any] = {"batch_size": datarc.eval_batch_size, "shuffle": False}
        else:
            clips = (
                self.splits.crops(split, self.seed, epoch)
                if self.upstream_trainable
                else self.splits.trained(split)
            )
            sampler = get_ddp_sampler(clips, epoch)
            order = {"batch_size": datarc.train_batch_size, "sampler": sampler, "shuffle": sampler is None}
            order["generator"] = order_generator(self.seed, epoch)
        return ObedientLoader(
            clips,
            num_workers=datarc.num_workers,
            collate_fn=clips.collate,
            **order,
        )

    def forward(
        self,
        split: str,
        features: Sequence[Tensor],
        targets: Tensor,
        tracks: list[str],
        records: dict[str, list],
        **_,
    ) -> Tensor:
        """s3prl hook: the loss of a batch. features: per clip (L, D); targets: (B, T) on the CPU."""
        for track, frames in zip(tracks, features, strict=True):
            if len(frames) == 0:
                raise ValueError(f"{track}: the upstream gives no frame for this clip; it is too short")
        logits = self.head(POOLINGS[self.feature_pooling](features))
        loss = self.task.loss(logits, targets.to(logits.device))
        records["loss"].append(loss.item())
        self.refuse_not_finite(records["loss"][-1], tracks)
        records["clips"].append(len(tracks))
        if not self.training:
            records["logits"].append(logits.float().cpu())
            records["targets"].append(targets)
            records["tracks"] += tracks
        return loss

    def log_records(
        self, split: str, records: dict[str, list], logger, global_step: int, **_
    ) -> list[str] | None:
        """s3prl hook: logs a split's scores, writes them down, and asks for BEST if dev was never better."""
        results = {"loss": float(np.average(records["loss"], weights=records["clips"]))}
        clips = None
        if records["logits"]:
            targets, logits = torch.cat(records["targets"]), torch.cat(records["logits"])
            scores = self.task.scores(logits).numpy()
            clips = ScoredClips.from_items(records["tracks"], targets.numpy(), scores)
            results |= self.task.metrics(clips.targets, clips.scores, self.names)
        for key, value in results.items():
            if isinstance(value, float):
                logger.add_scalar(f"music_tagging/{split}-{key}", value, global_step)
        if clips is None:
            return None
        self._tell(split, results)
        if self.mode == "train":
            best = split == "dev" and self.is_best(results[self.task.selects_by], global_step)
            if best and self.task.probabilistic:
                self.temperature = fitted_temperature(self.task, logits, targets)
            if self.is_best_step(global_step):
                self._write(split, clips, results, BEST)
            return [BEST] if best else None
        results |= self.evaluation.results(split, clips, self.names)
        if self.temperature is not None:
            results["calibration"] = calibration(self.task, logits, targets, self.temperature)
        self.evaluation.tell(split, results)
        self._write(split, clips, results, self.checkpoint)
        title = f"{self.reported['upstream']}: {self.evaluation.what(split)}"
        write_details(self.expdir, split, self.task, clips, self.names, title)
        return None

    def _write(self, split: str, clips: ScoredClips, results: dict[str, Any], checkpoint: str) -> None:
        about = {
            "task": self.config.task,
            "checkpoint": checkpoint,
            **self.reported,
            "scoring": self.config.scoring,
            **self.training_labels,
            "head_parameters": sum(parameter.numel() for parameter in self.head.parameters()),
        }
        write_scores(self.expdir, split, {**results, **about})
        write_predictions(self.expdir, split, clips, self.names)

    def _tell(self, split: str, results: dict[str, Any]) -> None:
        shown = [f"{key} {value:.4f}" for key, value in results.items() if isinstance(value, float)]
        logger.info("%s: %s, %d clips", split, ", ".join(shown), results["clips"])
        if results["left_out"] and split not in self._named:
            self._named.add(split)
            logger.warning(
                "%s: left out of the scores, without positives or without negatives: %s",
                split,
                ", ".join(map(printable, results["left_out"])),
            )

    def load_audio(self, path: str | Path) -> Tensor:
        """s3prl hook of -m inference: a file of any format as the store would hold it, (samples,)."""
        recording = read_recording(path)
        if recording.cancelled:
            logger.warning("%s: %s", printable(str(path)), recording.cancelled)
        samples, _ = to_int16(recording.wav)
        return torch.from_numpy(pad_to(to_float32(samples), self.shortest_samples))

    def inference(self, features: Sequence[Tensor], filenames: Sequence[str]) -> None:
        """s3prl hook of -m inference: prints each file's top tags with probabilities, or its numbers."""
        if not self._told:
            self._told = True
            trained_on, clips = map(self.training_labels.get, ("trained_on", "training_clips"))
            print(
                visible(told(self.temperature, trained_on, clips, self.task.probabilistic)), file=sys.stderr
            )
        logits = self.head(POOLINGS[self.feature_pooling](features)).float() / (self.temperature or 1.0)
        scores = self.task.scores(logits).cpu().numpy()
        for filename, row in zip(filenames, scores, strict=True):
            lines = self.task.lines(self.names, row, self.config.top_tags)
            print(*map(visible, [str(filename), *lines]), sep="\n  ")
