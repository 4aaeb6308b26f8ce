"""What a run leaves to be read: TensorBoard, one JSON line per log step, the progress bar."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import time
from collections import defaultdict
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from s3prl_pemr.report.event_log import EventLog
from s3prl_pemr.report.forecast import Forecast
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.whole_file import write_whole

from .global_batch import world_size

logger = logging.getLogger(__name__)


class TrainingLog:
    """Collects per-step values and writes their mean since the last log step; one process writes."""

    def __init__(
        self,
        expdir: Path,
        prefix: str,
        first_step: int,
        total_steps: int,
        clips: int,
        device: str,
        writes: bool,
    ):
        """Open the files; a resumed run goes on in them.

        Args:
            expdir: experiment folder, which exists.
            prefix: of TensorBoard's names.
            first_step: steps done before; later lines are of steps that will be done again, and dropped.
            total_steps: of the whole run, for the bar.
            clips: tracks in a batch of all processes.
            device: where the recorded values are.
            writes: whether this process writes; the others only take part in the means.
        """
        self.records: dict[str, list] = defaultdict(list)
        self._path, self._prefix, self._clips = expdir / "log.jsonl", prefix, clips
        self._device, self._writes = device, writes
        self._began, self._begin_step, self._shown = time.monotonic(), first_step, 0.0
        if writes:  # before the bar, which would write over the line that says why a file cannot be written
            _drop_lines_after(self._path, first_step)
            self.tensorboard = EventLog(str(expdir), purge_step=first_step + 1)
        self._bar = Progress(
            total=total_steps, initial=first_step, desc="pretrain", unit="step", disable=not writes
        )
        self._forecast = Forecast(total_steps, first_step)

    def step(self, step: int) -> None:
        """Move the bar; show the newest losses about once a second (reading them waits for the device)."""
        if not self._writes:
            return
        self._bar.update(1)
        line = self._forecast.step()
        if line:
            logger.info(line)
        now = time.monotonic()
        if now - self._shown > 1:
            self._shown = now
            newest = {k: f"{float(v[-1]):.4g}" for k, v in self.records.items() if k.endswith("loss") and v}
            self._bar.set_postfix(newest | {"clips/s": f"{self._speed(step):.1f}"}, refresh=False)

    def write(self, step: int, epoch: int, learning_rate: float) -> dict[str, float]:
        """Mean of the records over steps and processes -> TensorBoard and log.jsonl; returns it."""
        names = sorted(self.records)
        means = _mean_over_processes(torch.stack([torch.stack(self.records[n]).mean() for n in names]))
        values = dict(zip(names, means.tolist(), strict=True)) | {"learning_rate": learning_rate}
        self.records.clear()
        if self._writes:
            values["clips_per_second"] = self._speed(step)
            self._began, self._begin_step = time.monotonic(), step
            self.scalars(values, step)
            with self._path.open("a") as file:
                finite = {n: v if math.isfinite(v) else None for n, v in values.items()}  # JSON has no NaN
                file.write(json.dumps({"step": step, "epoch": epoch} | finite) + "\n")
        return values

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Write values to TensorBoard alone."""
        if self._writes:
            for name, value in values.items():
                self.tensorboard.add_scalar(f"{self._prefix}{name}", value, step)

    def state(self) -> dict[str, list[float]]:
        """Values since the last log step, for a resumed run to log the same means; every process calls it."""
        return {n: _mean_over_processes(torch.stack(self.records[n])).tolist() for n in sorted(self.records)}

    def load_state(self, state: dict[str, list[float]]) -> None:
        """Continue from `state`."""
        for name, values in state.items():
            self.records[name] = list(torch.tensor(values, dtype=torch.float32, device=self._device))

    def close(self) -> None:
        """Flush everything."""
        self._bar.close()
        if self._writes:
            self.tensorboard.close()

    def _speed(self, step: int) -> float:
        return self._clips * (step - self._begin_step) / max(time.monotonic() - self._began, 1e-9)


def _mean_over_processes(values: Tensor) -> Tensor:
    if world_size() > 1:
        dist.all_reduce(values)
        values /= world_size()
    return values


def _drop_lines_after(path: Path, step: int) -> None:
    """A run that died after its last checkpoint has logged steps that will be done again, or half a line."""
    if not path.is_file():
        return
    kept = []
    for line in path.read_text().splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
    write_whole(path, "".join(kept).encode())
