"""s3prl's pretraining interface around a method: audio store in, loss out."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
import yaml
from s3prl.pretrain.augment import AugmentConfig, augment
from s3prl.pretrain.crops.dataset import BRANCHES, Batch, CropPairs, DataConfig, EpochBatches, as_read
from s3prl.pretrain.crops.device_store import DeviceStore, device_store
from s3prl.pretrain.crops.heard import HEARD, heard_line, heard_record
from s3prl.pretrain.crops.identity import data_identity, refuse_other_data
from s3prl.pretrain.crops.log_mel_statistics import log_mel_statistics
from s3prl.pretrain.crops.randomness import BEYOND_EPOCHS, examination_generator
from s3prl.upstream.adapter.checkpoint import load_weights
from torch import Tensor, nn
from torch.utils.data import DataLoader

from s3prl_pemr.audio import INT16_FULL_SCALE
from s3prl_pemr.loops.compilation import Compiled
from s3prl_pemr.methods import METHODS, objective_class
from s3prl_pemr.safety.obedient_loader import ObedientLoader
from s3prl_pemr.settings import parse
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.shared_music import shared_lines

from .initial_weights import FRONTEND, take_initial_weights

EXAMINED_TRACKS = 64
logger = logging.getLogger(__name__)


@dataclass
class ModelSettings:
    """The top level of a model yaml; all but `augment` is parsed by the method."""

    method: str = "pemr"
    model: dict[str, Any] = field(default_factory=dict)
    objective: dict[str, Any] = field(default_factory=dict)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    corruption: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        if self.method not in METHODS:
            raise ValueError(f"method {self.method!r} is not one of {', '.join(METHODS)}")


class UpstreamPretrainExpert(nn.Module):
    """Used by our runner and by s3prl's own (s3prl/pretrain/runner.py)."""

    def __init__(
        self,
        datarc: dict,
        upstream_config: str | dict,
        device: str = "cuda",
        multi_gpu: bool = False,
        rank: int = 0,
        world_size: int = 1,
    ):
        """As s3prl/pretrain/runner.py:53; upstream_config is a yaml path, or its content on resume.

        Raises ValueError (one line): a setting that is unknown or out of range, a store that cannot serve.
        """
        super().__init__()
        if multi_gpu:
            raise ValueError("--multi_gpu would split the batch that the loss is over: use torchrun instead")
        where = "model settings"
        if not isinstance(upstream_config, dict):
            where = str(upstream_config)
            with open(upstream_config) as file:  # noqa: PTH123 - s3prl hands over a str
                upstream_config = yaml.safe_load(file)
        self.device = device
        settings = parse(ModelSettings, upstream_config, where)
        self.model = objective_class(settings.method)(upstream_config, where)
        model = self.method.model
        self.data_config = parse(DataConfig, datarc, "datarc")
        self.sample_rate, self.delay_volume = model.sample_rate, settings.augment.delay_volume
        self.dataset = CropPairs(
            AudioStore(self.data_config.store, may_lack_audio=self.data_config.batches_by_part),
            self.data_config, settings.augment, self.method.corruption,
            model.sample_rate, model.frontend.config.hop_samples if model.frontend else 1,
        )  # fmt: skip
        if rank == 0:
            logger.info(heard_line(self.dataset.store, self.dataset.tracks))
            if len(self.dataset) < len(self.dataset.store):
                for line in shared_lines(self.dataset.store):
                    logger.warning("%s", line)
        data = self.data_config
        self.method.fit_data(len(self.dataset), data.train_batch_size, data.crop_samples)
        self.upstream_config = {
            "method": settings.method, **self.method.settings(), "augment": asdict(settings.augment)
        }  # fmt: skip
        parts = self.dataset.store.part_numbers[self.dataset.tracks] if data.batches_by_part else None
        self.batches = EpochBatches(
            self.dataset.tracks, data.train_batch_size, data.seed, rank, world_size, parts
        )
        self.total_steps: int | None = None  # set by our runner; the toolkit's does not tell
        self.compiled: Compiled | None = None  # the model's call, set by our runner
        self._samples: DeviceStore | None = None  # the store's, where the device has them
        self._prepared = self._normalised = False  # queues are filled; the log-mel statistics are known

    @property
    def method(self) -> nn.Module:
        """The method itself, also where `model` has been wrapped for several processes."""
        return getattr(self.model, "module", self.model)

    def load_model(self, states: dict) -> None:
        """s3prl hook: weights of a checkpoint written by `add_state_to_save`."""
        weights = {f"model.{name}": value for name, value in states["Upstream"].items()}
        where = (
            "the checkpoint does not fit these settings (does -o change the model, its head or its queue?)"
        )
        load_weights(self.method, weights | states.get("Training", {}), where)
        self._prepared = self._normalised = True

    def take_initial_weights(self, path: str, parts: Sequence[str] | None) -> list[str]:
        """See initial_weights.py. With the front end come its statistics: they are not measured anew."""
        taken = take_initial_weights(self.method.model, path, parts)
        self._normalised = FRONTEND in taken
        return taken

    def add_state_to_save(self, states: dict) -> dict:
        """s3prl hook: what `upstream/adapter/checkpoint.py` and `load_model` need."""
        states["Method"] = self.method.name
        states["Upstream_Config"] = self.upstream_config
        states["Upstream"] = self.method.model.state_dict()
        states["Training"] = {
            name: value for name, value in self.method.state_dict().items() if not name.startswith("model.")
        }
        states["Data"] = data_identity(self.dataset, self.data_config)
        states[HEARD] = heard_record(self.dataset.store, self.dataset.tracks)
        return states

    def refuse_other_data(self, states: dict) -> None:
        """See pretrain/crops/identity.py."""
        now = data_identity(self.dataset, self.data_config)
        refuse_other_data(states["Data"], now, self.data_config.store)

    def on_before_zero_grad(self) -> None:
        """s3prl hook, called after the optimiser's step."""
        self.method.after_step(self.total_steps)

    def get_train_dataloader(self) -> DataLoader:
        """s3prl hook: batches of crop pairs, in an order that moves on with each iteration over it.

        Copies the store to the device where it is to be there. Measures the store's log-mel statistics and
        fills queues first, unless a checkpoint brought them.
        """
        self._copy_store()
        if not self._prepared:
            self._measure_statistics()
            self.method.prepare(self._extra_views())
            self._prepared = True
        workers = self.data_config.num_workers
        return ObedientLoader(
            self.dataset,
            batch_sampler=self.batches,
            collate_fn=as_read,
            num_workers=workers,
            generator=torch.Generator(),  # DataLoader draws a seed per iteration: not from the global state
            persistent_workers=workers > 0,
            pin_memory=str(self.device).startswith("cuda"),
        )

    def _copy_store(self) -> None:
        config = self.data_config
        steps = math.inf if self.total_steps is None else self.total_steps
        heard = BRANCHES * config.train_batch_size * config.crop_samples * steps
        self._samples = device_store(
            self.dataset.store, self.batches.read_tracks, self.device, config.store_on_device, heard
        )
        self.dataset.reads = self._samples is None

    def _measure_statistics(self) -> None:
        config, frontend = self.data_config, self.method.model.frontend
        if frontend is None or self._normalised:
            return
        frontend.set_statistics(
            *log_mel_statistics(
                frontend, self.dataset.store, self.dataset.tracks,
                config.statistics_clips, config.crop_samples, config.seed,
                self.batches.counted_tracks if config.batches_by_part else None,
            )
        )  # fmt: skip

    def _extra_views(self) -> Iterator[Tensor]:
        """Whole batches (2 B, N), the same in every process, of tracks drawn as in no epoch."""
        config = self.data_config
        batches = EpochBatches(self.dataset.tracks, config.train_batch_size, config.seed)
        batches.epoch = BEYOND_EPOCHS
        for keys in batches:
            yield self.views(self.dataset.__getitems__(keys))

    def examined_crops(self, extra_samples: int) -> Tensor:
        """Two crops, not augmented, of each of a fixed set of tracks, with more behind them: (2 B, N)."""
        generator, store = examination_generator(self.data_config.seed), self.dataset.store
        tracks = np.sort(generator.permutation(self.batches.read_tracks)[:EXAMINED_TRACKS])
        samples = self.data_config.crop_samples + extra_samples
        both = np.tile(tracks, BRANCHES)
        starts = generator.integers(np.maximum(store.length_samples[both] - samples, 0) + 1)
        crops = torch.from_numpy(store.gather(both, starts, samples)).to(self.device)
        return crops.float() / INT16_FULL_SCALE

    def crops(self, batch: Batch) -> Tensor:
        """Crops on the device, as they were drawn: (2 B, N) in [-1, 1]."""
        if batch.crops is None:
            crops = self._samples.gather(batch.places, self.data_config.crop_samples)
        else:
            crops = batch.crops.to(self.device, non_blocking=True)
        return crops.float() / INT16_FULL_SCALE

    def views(self, batch: Batch) -> Tensor:
        """Augmented crops on the device, (2 B, N); a filter or an echo may go a little beyond [-1, 1]."""
        return augment(self.crops(batch), batch.draws, self.sample_rate, self.delay_volume)

    def forward(self, data: Batch, records: dict, **_) -> tuple[Tensor, dict]:
        """s3prl hook: the loss of a batch; its parts are appended to `records`."""
        with torch.no_grad(), torch.autocast(torch.device(self.device).type, enabled=False):
            wavs = self.views(data)
            corruption = data.corruption.to(self.device) if data.corruption else None
        loss, logged = (self.compiled or self.model)(wavs, corruption)
        for name, value in logged.items():
            records[name].append(value if self.compiled is None else value.clone())
        return loss, records

    def log_records(self, records: dict, logger, prefix: str, global_step: int, **_) -> None:
        """s3prl hook: the mean of each record since the last call."""
        for name, values in records.items():
            logger.add_scalar(f"{prefix}{name}", torch.stack(values).mean().item(), global_step)
