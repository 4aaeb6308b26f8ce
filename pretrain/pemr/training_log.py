"""What a run leaves to be read: TensorBoard, one JSON line per log step, the progress bar."""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict
from pathlib import Path

import torch
import torch.distributed as dist
from tensorboardX import SummaryWriter
from torch import Tensor
from tqdm import tqdm

from .global_batch import world_size

logger = logging.getLogger(__name__)


class TrainingLog:
    """Collects per-step values and writes their mean since the last log step; one process writes."""

    def __init__(
        self, expdir: Path, prefix: str, first_step: int, total_steps: int, clips: int, writes: bool
    ):
        """Args: prefix of TensorBoard's names, step resumed from, clips in a (global) batch."""
        self.records: dict[str, list] = defaultdict(list)
        self._path, self._prefix, self._clips, self._writes = expdir / "log.jsonl", prefix, clips, writes
        self._began, self._begin_step, self._shown = time.monotonic(), first_step, 0.0
        self._bar = tqdm(
            total=total_steps, initial=first_step, desc="pretrain", unit="step",
            dynamic_ncols=True, disable=not writes,
        )  # fmt: skip
        if writes:
            _drop_lines_after(self._path, first_step)
            self.tensorboard = SummaryWriter(str(expdir), purge_step=first_step + 1 if first_step else None)

    def step(self, step: int) -> None:
        """Move the bar; show the newest losses about once a second (reading them waits for the device)."""
        if not self._writes:
            return
        self._bar.update(1)
        now = time.monotonic()
        if now - self._shown > 1:
            self._shown = now
            newest = {k: f"{float(v[-1]):.4g}" for k, v in self.records.items() if k.endswith("loss") and v}
            self._bar.set_postfix(newest | {"clips/s": f"{self._speed(step):.1f}"}, refresh=False)

    def write(self, step: int, epoch: int, learning_rate: float) -> dict[str, float]:
        """Mean of the records over steps and processes -> TensorBoard and log.jsonl; returns it."""
        names = sorted(self.records)
        means = torch.stack([torch.stack([_scalar(v) for v in self.records[n]]).mean() for n in names])
        if world_size() > 1:
            dist.all_reduce(means)
            means /= world_size()
        values = dict(zip(names, means.tolist(), strict=True)) | {"learning_rate": learning_rate}
        self.records.clear()
        if self._writes:
            values["clips_per_second"] = self._speed(step)
            self._began, self._begin_step = time.monotonic(), step
            self.scalars(values, step)
            with self._path.open("a") as file:
                file.write(json.dumps({"step": step, "epoch": epoch} | values) + "\n")
        return values

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Write values to TensorBoard alone."""
        if self._writes:
            for name, value in values.items():
                self.tensorboard.add_scalar(f"{self._prefix}{name}", value, step)

    def state(self) -> dict[str, list[float]]:
        """Values since the last log step, so that a resumed run logs the same means."""
        return {name: [float(v) for v in values] for name, values in self.records.items()}

    def load_state(self, state: dict[str, list[float]]) -> None:
        """Continue from `state`."""
        for name, values in state.items():
            self.records[name] = list(values)

    def close(self) -> None:
        """Flush everything."""
        self._bar.close()
        if self._writes:
            self.tensorboard.close()

    def _speed(self, step: int) -> float:
        return self._clips * (step - self._begin_step) / max(time.monotonic() - self._began, 1e-9)


def _scalar(value: Tensor | float) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float32)


def _drop_lines_after(path: Path, step: int) -> None:
    """A run that died after its last checkpoint has logged steps that will be done again."""
    if path.is_file():
        kept = [line for line in path.read_text().splitlines() if line and json.loads(line)["step"] <= step]
        path.write_text("".join(line + "\n" for line in kept))
