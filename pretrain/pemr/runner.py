"""Pretraining runner: true epochs, exact resume, several processes.

s3prl's own Runner takes the data set's length for its number of batches (s3prl/pretrain/runner.py:117),
resumes one step early and with the first batch (:253), removes old checkpoints before writing the new one
(:248), and has neither bf16 nor DDP.
"""

from __future__ import annotations

import logging
import math
from pathlib import Path

import torch
from s3prl.optimizers import get_optimizer
from s3prl.schedulers import get_scheduler
from s3prl.upstream.pemr.config import parse
from torch.nn.parallel import DistributedDataParallel

from s3prl_pemr.optimizer import complete_optimizer_config

from . import checkpoint_files
from .global_batch import world_size
from .interruption import Interruption
from .mask_picture import mask_picture
from .precision import Precision
from .pretrain_expert import UpstreamPretrainExpert
from .probe import KnnProbe
from .runner_config import RunnerConfig
from .training_log import TrainingLog

logger = logging.getLogger(__name__)


class PretrainRunner:
    """Trains an expert from its first step, or from `states`, to the end of the run."""

    def __init__(
        self, expdir: Path, config: dict, model_settings: dict, device: str, rank: int, states: dict | None
    ):
        """Args: effective runner config and model settings (yaml as dicts), a checkpoint to go on from.

        Raises:
            ValueError: one line, for settings or a checkpoint that do not fit.
        """
        self.expdir, self.config, self.device, self.rank = expdir, config, device, rank
        self.settings = parse(RunnerConfig, config.get("runner"), "runner config")
        self.precision = Precision(self.settings.precision, device)
        datarc = config["pretrain_expert"]["datarc"]
        self.expert = UpstreamPretrainExpert(
            datarc, model_settings, device, rank=rank, world_size=world_size()
        ).to(device)
        self.steps_per_epoch = len(self.expert.batches)
        self.total_steps = self.settings.steps(self.steps_per_epoch)
        self.optimizer = get_optimizer(
            [self.expert.model], self.total_steps, complete_optimizer_config(config["optimizer"])
        )
        self.scheduler = None
        if config.get("scheduler"):
            self.scheduler = get_scheduler(self.optimizer, self.total_steps, config["scheduler"])
        self.probe = None
        if self.settings.probe_every_epochs > 0 and rank == 0:
            self.probe = KnnProbe(self.settings.probe_store, self.settings.probe_neighbours)
        self.step = 0
        self.states = states
        if states is not None:
            self._load(states)

    def train(self) -> int:
        """Train to the end, or until a signal; returns the exit status: 0, or 128 + the signal's number."""
        loader = self.expert.get_train_dataloader()
        self._distribute()
        self.expert.train()
        clips = self.expert.data_config.train_batch_size
        prefix = f"{self.expert.method.name}/train-"
        log = TrainingLog(self.expdir, prefix, self.step, self.total_steps, clips, writes=self.rank == 0)
        if self.states is not None:
            log.load_state(self.states["Records"])
        with Interruption(self.device) as interruption:
            stop_signal = 0
            while self.step < self.total_steps and not stop_signal:
                epoch, first_batch = divmod(self.step, self.steps_per_epoch)
                self.expert.batches.epoch, self.expert.batches.first_batch = epoch, first_batch
                for batch in loader:
                    self._train_step(batch, log)
                    stop_signal = interruption.signal_number()
                    self._after_step(batch, log, epoch, save_now=stop_signal != 0)
                    if self.step >= self.total_steps or stop_signal:
                        break
        log.close()
        if stop_signal:
            logger.warning("stopped by a signal at step %d, saved; go on with -a", self.step)
            return 128 + stop_signal
        return 0

    def _train_step(self, batch, log: TrainingLog) -> None:
        scaler = self.precision.scaler
        with self.precision.autocast():
            loss, _ = self.expert(batch, records=log.records)
        scaler.scale(loss).backward()
        scaler.unscale_(self.optimizer)
        limit = self.settings.gradient_clipping or math.inf
        for part, parameters in self.expert.method.parts().items():
            norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
            log.records[f"gradient_norm_{part}"].append(norm.detach())
        scaler.step(self.optimizer)
        scaler.update()
        self.expert.on_before_zero_grad()
        self.optimizer.zero_grad()
        if self.scheduler is not None:
            self.scheduler.step()
        self.step += 1

    def _after_step(self, batch, log: TrainingLog, epoch: int, save_now: bool) -> None:
        settings, last = self.settings, self.step == self.total_steps
        log.step(self.step)
        epoch_done = self.step % self.steps_per_epoch == 0
        if self.rank == 0 and settings.picture_step > 0 and self.step % settings.picture_step == 0:
            views = self.expert.views(batch)
            log.tensorboard.add_image(
                "pemr/masks", mask_picture(self.expert.method.model, views), self.step, dataformats="HWC"
            )
        if self.probe and epoch_done and (epoch + 1) % settings.probe_every_epochs == 0:
            scores = self.probe(self.expert.method.model)
            log.scalars(scores, self.step)
            logger.info("step %d: %s", self.step, scores)
        if self.step % settings.log_step == 0 or last:
            values = log.write(self.step, epoch, self.optimizer.param_groups[0]["lr"])
            if not math.isfinite(values["loss"]):
                raise ValueError(
                    f"the loss is {values['loss']} at step {self.step}: lower the learning rate or set "
                    f"precision fp32, and go on from the last checkpoint in {self.expdir} with -a"
                )
        milestone = (
            epoch_done and settings.keep_every_epochs > 0 and (epoch + 1) % settings.keep_every_epochs == 0
        )
        if milestone:
            self._save(self.expdir / f"epoch-{epoch + 1}.ckpt", log)
        if self.step % settings.save_step == 0 or last or save_now:
            self._save(self.expdir / f"states-{self.step}.ckpt", log)
            if self.rank == 0:
                checkpoint_files.prune(self.expdir, settings.max_keep)

    def _distribute(self) -> None:
        """Wrap for several processes. gloo has no SyncBatchNorm: on CPU each process normalises its share."""
        if world_size() == 1:
            return
        on_cuda = torch.device(self.device).type == "cuda"
        if on_cuda:
            torch.nn.SyncBatchNorm.convert_sync_batchnorm(self.expert.model)
        else:
            logger.warning("batch normalisation is per process on CPU: gloo has no synchronised one")
        self.expert.model = DistributedDataParallel(
            self.expert.model, device_ids=[torch.device(self.device).index] if on_cuda else None
        )

    def _save(self, path: Path, log: TrainingLog) -> None:
        if self.rank != 0:
            return
        states = {
            "Step": self.step,
            "Epoch": self.step / self.steps_per_epoch,
            "Optimizer": self.optimizer.state_dict(),
            "Scheduler": self.scheduler.state_dict() if self.scheduler else None,
            "Scaler": self.precision.scaler.state_dict(),
            "Random": torch.get_rng_state(),
            "Records": log.state(),
            "Config": self.config,
        }
        checkpoint_files.save(self.expert.add_state_to_save(states), path)

    def _load(self, states: dict) -> None:
        fingerprint = self.expert.dataset.store.fingerprint
        if states["Data"]["fingerprint"] != fingerprint:
            raise ValueError(
                f"{self.expert.data_config.store} is not the store this run began with: its audio has "
                "changed, so the run cannot go on where it stopped; start a new one with another -n"
            )
        self.expert.load_model(states)
        self.optimizer.load_state_dict(states["Optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(states["Scheduler"])
        self.precision.scaler.load_state_dict(states["Scaler"])
        torch.set_rng_state(states["Random"])
        self.step = states["Step"]
