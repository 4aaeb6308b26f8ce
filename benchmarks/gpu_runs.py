"""Runs that `gpu.py` measures: whole loops, what a step has to do, and losses over some hundred steps."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import torch
import yaml
from plain import plain
from s3prl.pretrain.training.probe import KnnProbe
from s3prl.pretrain.training.runner import PretrainRunner
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

SETTINGS = Path(__file__).resolve().parent.parent / "pretrain" / "pemr"
WARM_UP_STEPS = 3


def runner(
    store: str, folder: Path, device: str, precision: str, batch: int, steps: int, way: str = "off"
) -> PretrainRunner:
    """As the launcher makes it, writing nothing but its log."""
    config = yaml.safe_load((SETTINGS / "config_runner.yaml").read_text())
    config["runner"] |= {
        "n_epochs": -1, "total_steps": steps, "precision": precision, "picture_step": 0, "save_step": 10**9,
        "keep_every_epochs": 0, "log_step": 10, "compile": way,
    }  # fmt: skip
    config["pretrain_expert"]["datarc"] |= {
        "store": store, "train_batch_size": batch, "statistics_clips": 256, "seed": 1,
        "store_on_device": "off" if precision == "fp32" else "on",
    }  # fmt: skip
    model = yaml.safe_load((SETTINGS / "config_model.yaml").read_text())
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    return PretrainRunner(folder, config, model, device, 0, None)


def loop(
    store: str, folder: Path, device: str, precision: str, batch_size: int, timed: int, way: str = "off"
) -> dict[str, object]:
    """Clips a second of the whole loop, peak memory, kernels a step; what a step waits for.

    The first step, which compiles, is timed apart.
    """
    steps = WARM_UP_STEPS + timed
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
    made = runner(store, folder / "loop", device, precision, batch_size, steps, way)
    made.expert.train()
    records, begun, first, done = defaultdict(list), 0.0, 0.0, 0
    loader = made.expert.get_train_dataloader()
    log = SimpleNamespace(records=records)
    while done < steps:
        for batch in loader:
            if done in (0, 1, WARM_UP_STEPS):
                _wait(device)
                first = time.perf_counter() - begun if done == 1 else first
                begun = time.perf_counter()
            made._train_step(batch, log)
            done += 1
            if done >= steps:
                break
    _wait(device)
    seconds = time.perf_counter() - begun
    activities = [
        torch.profiler.ProfilerActivity.CUDA if device != "cpu" else torch.profiler.ProfilerActivity.CPU
    ]
    with torch.profiler.profile(activities=activities) as profiled:
        made._train_step(batch, log)
        _wait(device)
    memory = torch.cuda.max_memory_allocated() / 2**30 if device != "cpu" else 0.0
    events = profiled.key_averages()
    time_of = "self_device_time_total" if device != "cpu" else "self_cpu_time_total"
    longest = sorted(events, key=lambda event: getattr(event, time_of), reverse=True)[:15]
    return {
        "clips_per_second": batch_size * timed / seconds, "peak_gib": memory, "first_step_seconds": first,
        "compile": made.expert.compiled.way, "kernels": sum(event.count for event in events),
        "longest_ms": {event.key[:80]: getattr(event, time_of) / 1e3 for event in longest},
        "waits": _waits(made, batch, log, device),
    }  # fmt: skip


def work(store: str, folder: Path, device: str, batch_size: int) -> dict[str, float]:
    """What a step of the fast path has to do, whatever does it.

    Returns: tera_operations, of the plain layers' products and convolutions, forward and backward;
        activation_gb, kept by the forward pass for the backward one: each byte is written once, read once.
    """
    made = runner(store, folder / "work", device, "bf16", batch_size, 1)
    made.expert.train()
    batch = next(iter(made.expert.get_train_dataloader()))
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with plain(), FlopCounterMode(display=False) as counter:
        made._loss(batch)
    with made.precision.autocast(), saved_tensors_hooks(keep, lambda tensor: tensor):
        loss, _ = made.expert(batch, records=defaultdict(list))
    loss.backward()
    return {
        "tera_operations": counter.get_total_flops() / 1e12,
        "activation_gb": sum(kept.values()) / 1e9,
    }


def _waits(made: PretrainRunner, batch, log, device: str) -> str:
    """What a step waits for on the device: nothing, or the first such call's error."""
    if device == "cpu":
        return "not asked on a CPU"
    torch.cuda.set_sync_debug_mode("error")
    try:
        made._train_step(batch, log)
    except RuntimeError as error:
        return str(error).splitlines()[0]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return "nothing"


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def losses(
    store: str, folder: Path, device: str, precision: str, batch: int, steps: int, way: str = "off"
) -> list[dict[str, float]]:
    """The log of a run; its last line has the nearest neighbours' scores where the store has labels."""
    made = runner(store, folder / f"losses-{precision}-{way}", device, precision, batch, steps, way)
    made.train()
    log = folder / f"losses-{precision}-{way}" / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    if any(made.expert.dataset.store.labels):
        lines[-1] |= KnnProbe(store, neighbours=5)(made.expert.method.model)
    return lines


def draw(curves: dict[str, list[dict[str, float]]], path: Path) -> None:
    """The losses against the step."""
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    for name, lines in curves.items():
        axis.plot([line["step"] for line in lines], [line["loss"] for line in lines], label=name)
    axis.set(xlabel="step", ylabel="loss", yscale="log")
    axis.legend()
    figure.savefig(path, dpi=120)
