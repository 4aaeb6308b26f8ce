"""Pretraining runner: true epochs, exact resume, several processes.

s3prl's own Runner takes the data set's length for its number of batches (s3prl/pretrain/runner.py:117),
resumes one step early and with the first batch (:253), removes old checkpoints before writing the new one
(:248), and has neither bf16 nor DDP.
"""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import torch
from s3prl.optimizers import get_optimizer
from s3prl.schedulers import get_scheduler
from torch import Tensor

from s3prl_pemr.loops.compilation import Compiled, compile_here
from s3prl_pemr.loops.config_check import optimizer_faults
from s3prl_pemr.loops.optimizer import complete_optimizer_config, on_device
from s3prl_pemr.safety.children import no_child_outlives_an_error
from s3prl_pemr.safety.interruption import Interruption
from s3prl_pemr.settings import parse

from . import checkpoint_files
from .collapse import CollapseAlarm, effective_rank
from .expert import UpstreamPretrainExpert
from .global_batch import distributed, world_size
from .health import Health, refusal
from .log import TrainingLog
from .precision import Precision, precision_here
from .probe import KnnProbe
from .runner_config import RunnerFile

logger = logging.getLogger(__name__)


class PretrainRunner:
    """Trains an expert from its first step, or from `states`, to the end of the run."""

    def __init__(
        self, expdir: Path, config: dict, model_settings: dict, device: str, rank: int, states: dict | None
    ):
        """Build everything, and bring it to where `states` left off.

        Args:
            expdir: experiment folder; `train` needs it to exist.
            config, model_settings: config_runner.yaml and config_model.yaml as dicts.
            device: torch device of this process.
            rank: of this process among all.
            states: content of a checkpoint to go on from.

        Raises ValueError (one line) for settings or a checkpoint that do not fit.
        """
        self.expdir, self.device, self.rank = expdir, device, rank
        file = parse(RunnerFile, config, "runner config")
        self.settings = file.runner
        self.settings.precision = precision_here(self.settings.precision, device)
        self.precision = Precision(self.settings.precision, device)
        self.expert = UpstreamPretrainExpert(
            file.pretrain_expert.datarc, model_settings, device, rank=rank, world_size=world_size()
        ).to(device)
        file.pretrain_expert.datarc = asdict(self.expert.data_config)
        self.steps_per_epoch = len(self.expert.batches)
        self.total_steps = self.expert.total_steps = self.settings.steps(self.steps_per_epoch)
        self.settings.compile = compile_here(self.settings.compile, device, self.total_steps, world_size())
        self.config = asdict(file)
        self.optimizer_config = on_device(complete_optimizer_config(file.optimizer), device)
        if faults := list(optimizer_faults({"optimizer": file.optimizer})):
            raise ValueError(f"optimizer or scheduler of the runner config: {'; '.join(faults)}")
        try:
            self.optimizer = get_optimizer([self.expert.model], self.total_steps, self.optimizer_config)
            self.scheduler = None
            if file.scheduler:
                self.scheduler = get_scheduler(self.optimizer, self.total_steps, file.scheduler)
        except (TypeError, KeyError, NameError, AttributeError) as error:  # s3prl looks both up by name
            raise ValueError(f"optimizer or scheduler of the runner config: {error}") from error
        self.probe = None
        if self.settings.probe_every_epochs > 0 and rank == 0:
            self.probe = KnnProbe(self.settings.probe_store, self.settings.probe_neighbours)
        self.step = 0
        self.health, self.alarm = Health(), CollapseAlarm()
        self.states = states
        if states is not None:
            self._load(states)

    def train(self) -> int:
        """Train to the end, or until a signal; returns the exit status: 0, or 128 + the signal's number."""
        if self.step >= self.total_steps:
            logger.info("nothing left to do: step %d of %d", self.step, self.total_steps)
            return 0
        if self.rank == 0:
            logger.info(
                "%d steps of %d tracks, %d an epoch%s", self.total_steps,
                self.expert.data_config.train_batch_size, self.steps_per_epoch,
                f"; {self.step} are done" if self.step else "",
            )  # fmt: skip
        loader = self.expert.get_train_dataloader()
        self.expert.model = distributed(self.expert.model, self.device)
        self.expert.train()
        clips = self.expert.data_config.train_batch_size
        prefix = f"{self.expert.method.name}/train-"
        log = TrainingLog(
            self.expdir, prefix, self.step, self.total_steps, clips, self.device, writes=self.rank == 0
        )
        if self.states is not None:
            log.load_state(self.states["Records"])
        with closing(log), no_child_outlives_an_error(), Interruption(self.device) as interruption:
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
        if stop_signal:
            logger.warning("stopped by a signal at step %d, saved; go on with -a", self.step)
            return 128 + stop_signal
        if self.rank == 0:
            logger.info("done; saved to %s, for -k", self.expdir / f"states-{self.step}.ckpt")
        return 0

    def _train_step(self, batch, log: TrainingLog) -> None:
        scaler = self.precision.scaler
        if self.expert.compiled is None:
            self.expert.compiled = Compiled(self.expert.model, self.settings.compile)
        loss, records = self.expert.compiled.first(lambda: self._loss(batch))
        for name, values in records.items():
            log.records[name] += values
        scaler.unscale_(self.optimizer)
        limit = self.settings.gradient_clipping or math.inf
        measured = [loss.detach()]
        for part, parameters in self.expert.method.parts().items():
            norm = torch.nn.utils.clip_grad_norm_(parameters, limit).detach()
            log.records[f"gradient_norm_{part}"].append(norm)
            if not scaler.is_enabled():  # a scaler looks for its scale by letting gradients overflow
                measured.append(norm)
        self.health.note(self.step + 1, measured)
        scale = scaler.get_scale()
        scaler.step(self.optimizer)
        scaler.update()
        skipped = scaler.get_scale() < scale
        if not skipped:
            self.expert.on_before_zero_grad()
            if self.scheduler is not None:
                self.scheduler.step()
        self.optimizer.zero_grad()
        self.step += 1

    def _loss(self, batch) -> tuple[Tensor, dict[str, list[Tensor]]]:
        """Forward and backward: the loss, and what else to log."""
        with self.precision.autocast():
            loss, records = self.expert(batch, records=defaultdict(list))
        self.precision.scaler.scale(loss).backward()
        return loss, records

    def _after_step(self, batch, log: TrainingLog, epoch: int, save_now: bool) -> None:
        settings, last = self.settings, self.step == self.total_steps
        log.step(self.step)
        epoch_done = self.step % self.steps_per_epoch == 0
        if settings.picture_step > 0 and self.step % settings.picture_step == 0:
            self._check_health()
            self._look(batch, log)
        if self.probe and epoch_done and (epoch + 1) % settings.probe_every_epochs == 0:
            scores = self.probe(self.expert.method.model)
            log.scalars(scores, self.step)
            logger.info("step %d: %s", self.step, scores)
        if self.step % settings.log_step == 0 or last:
            self._check_health()
            for name, vectors in self.expert.method.monitored.items():
                log.records[f"effective_rank_{name}"].append(effective_rank(vectors))
            values = log.write(self.step, epoch, self.optimizer.param_groups[0]["lr"])
            represented = self.expert.method.monitored.get("representations")
            if self.rank == 0 and represented is not None:
                self.alarm.hear(values["embedding_std"], represented.shape[1], self.step)
        milestone = (
            epoch_done and settings.keep_every_epochs > 0 and (epoch + 1) % settings.keep_every_epochs == 0
        )
        if milestone:
            self._save(self.expdir / f"epoch-{epoch + 1}.ckpt", log)
        if self.step % settings.save_step == 0 or last or save_now:
            self._save(self.expdir / f"states-{self.step}.ckpt", log)
            if self.rank == 0:
                checkpoint_files.prune(self.expdir, settings.max_keep)

    def _look(self, batch, log: TrainingLog) -> None:
        """Pictures of the batch, and what the method has learnt on the fixed set of clips.

        Every process examines: the next log line is a mean over all of them.
        """
        method = self.expert.method
        pictures = {}
        if self.rank == 0 and method.draws_pictures:
            pictures["views"] = method.picture(self.expert.views(batch))
        if method.examined_extra_samples is not None:
            crops = self.expert.examined_crops(method.examined_extra_samples)
            found = method.examine(crops, self.expert.data_config.seed)
            for name, value in found.scalars.items():
                log.records[name].append(torch.tensor(value, device=self.device))
            pictures["mask_by_place"] = found.picture
        if self.rank == 0:
            for name, picture in pictures.items():
                log.tensorboard.add_image(f"{method.name}/{name}", picture, self.step, dataformats="HWC")

    def _check_health(self) -> None:
        """Never save or go on with what is not finite; asked only then, as it waits for the device."""
        step = self.health.first_bad_step()
        if step is None:
            return
        epoch, batch = divmod(step - 1, self.steps_per_epoch)
        tracks = self.expert.batches.whole_batches(epoch)[batch]
        names = [self.expert.dataset.store.tracks[track] for track in tracks]
        raise ValueError(refusal(step, names, self.expdir, writes=self.rank == 0))

    def _save(self, path: Path, log: TrainingLog) -> None:
        self._check_health()
        records = log.state()
        if self.rank != 0:
            return
        states = {
            "Step": self.step,
            "Optimizer": self.optimizer.state_dict(),
            "Scheduler": self.scheduler.state_dict() if self.scheduler else None,
            "Scaler": self.precision.scaler.state_dict(),
            "Random": torch.get_rng_state(),
            "Records": records,
            "Config": self.config,
        }
        checkpoint_files.save(self.expert.add_state_to_save(states), path)

    def _load(self, states: dict) -> None:
        self.expert.refuse_other_data(states)
        self.expert.load_model(states)
        self.optimizer.load_state_dict(states["Optimizer"])
        if self.scheduler is not None and states["Scheduler"] is not None:
            self.scheduler.load_state_dict(states["Scheduler"])
        if self.scheduler is None:  # the config's rate and weight decay, which -o may have changed
            for group in self.optimizer.param_groups:
                group.update({k: v for k, v in self.optimizer_config.items() if k in group})
        if self.precision.scaler.is_enabled() and states["Scaler"]:
            self.precision.scaler.load_state_dict(states["Scaler"])
        torch.set_rng_state(states["Random"])
        self.step = states["Step"]
