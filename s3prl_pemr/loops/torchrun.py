"""Several processes under torchrun: their group, and the steps that the toolkit forgets to count."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch.utils.data import DistributedSampler

from s3prl_pemr.report.forecast import Forecast
from s3prl_pemr.report.progress import Progress

logger = logging.getLogger(__name__)

# The first process evaluates while the others wait: nccl's 10 minutes are too short for a large test set.
TIMEOUT = timedelta(hours=6)


def local_rank() -> int | None:
    """This process's number on this machine, None where there is only one (as with --nproc_per_node 1)."""
    if int(os.environ.get("WORLD_SIZE", 1)) < 2 or "LOCAL_RANK" not in os.environ:
        return None
    return int(os.environ["LOCAL_RANK"])


def global_rank() -> int:
    """This process's number among all of a torchrun, also before their group is made."""
    return int(os.environ.get("RANK", 0)) if local_rank() is not None else 0


def rank() -> int:
    """This process's number among all, 0 where there is only one."""
    return distributed.get_rank() if distributed.is_initialized() else 0


@contextmanager
def process_group(device: str, backend: str | None = None) -> Iterator[None]:
    """The group of a torchrun, nothing without torchrun.

    Made here and not by s3prl/run_downstream.py:166, which sets a CUDA device even for gloo. A process that
    fails does not wait for the others: torchrun ends them.
    """
    if local_rank() is None:
        yield
        return
    if device.startswith("cuda"):
        torch.cuda.set_device(torch.device(device))
    distributed.init_process_group(
        backend or ("nccl" if device.startswith("cuda") else "gloo"), timeout=TIMEOUT
    )
    yield
    distributed.barrier()  # the first process may still be evaluating
    distributed.destroy_process_group()
    # Wrapped models lie in cycles and hold the group: its threads, where they are still there when Python
    # ends, abort the process now and then ("terminate called without an active exception").
    gc.collect()


def distributed_copy(model: nn.Module, interfaces: list[str]) -> nn.Module:
    """s3prl/downstream/runner.py:113 passes device_ids; CPU modules refuse it, placed ones do without."""
    wrapped = DistributedDataParallel(model, find_unused_parameters=True)
    for interface in interfaces:
        setattr(wrapped, interface, getattr(model, interface))
    return wrapped


@contextmanager
def without_wrappers(entries: list) -> Iterator[None]:
    """For an evaluation by one process: a wrapped model would wait there for the others' buffers."""
    models = [entry.model for entry in entries]
    for entry in entries:
        if isinstance(entry.model, DistributedDataParallel):
            entry.model = entry.model.module
    try:
        yield
    finally:
        for entry, model in zip(entries, models, strict=True):
            entry.model = model


class LoopBar(Progress):
    """The toolkit's bars in training: `overall`, its step count, is the one of the run that is going on.

    s3prl/downstream/runner.py:288 opens another one for each epoch: they are not shown.
    """

    overall: LoopBar | None = None
    remark = ""  # behind the forecast

    def __init__(self, iterable=None, desc: str | None = None, **kwargs):
        super().__init__(iterable, desc, disable=desc == "train", **kwargs)
        if desc == "overall":
            LoopBar.overall = self
            self._forecast: Forecast | None = None

    def update(self, n: float = 1) -> bool | None:
        """A step more; after some of them, how long the rest will take."""
        if self is LoopBar.overall and rank() == 0:
            if self._forecast is None:  # a resumed loop has set n by now
                self._forecast = Forecast(self.total, self.n, self.remark)
            line = self._forecast.step()
            if line:
                logger.info(line)
        return super().update(n)

    @classmethod
    def close_overall(cls) -> None:
        """Also where an error ends the loop: before its line is printed."""
        if LoopBar.overall is not None:
            LoopBar.overall.close()


class FollowersBar(LoopBar):
    """That of the other processes.

    s3prl/downstream/runner.py:360-363: they go on without counting, and never stop.
    """

    _warned = False

    def __init__(self, iterable=None, desc: str | None = None, **kwargs):
        super().__init__(iterable, desc, **kwargs)
        if desc != "overall" and rank() == 1 and not FollowersBar._warned:
            FollowersBar._warned = True
            if not isinstance(getattr(iterable, "sampler", None), DistributedSampler):
                logger.warning(
                    "the train loader has no DistributedSampler: each process goes through the whole set"
                )


def count_follower_steps(optimizer: Optimizer) -> None:
    """zero_grad is what the loop calls once, and whatever happened, for each step (:354)."""
    zero_grad = optimizer.zero_grad

    def counting_zero_grad(*args, **kwargs):
        zero_grad(*args, **kwargs)
        LoopBar.overall.update(1)

    optimizer.zero_grad = counting_zero_grad
