"""What a GPU makes of pretraining: correctness against the CPU, parts of a step, whole loops, losses.

    python benchmarks/gpu.py STORE OUT [--steps 300] [--device cuda]

One call of under eight minutes on one card. Each side is named: `reference` is fp32 with the pitch shift's
search and the encoder's first block in torch, `fast` is what runs by default. OUT gets gpu.json and the
runs' logs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
import yaml

import s3prl_pemr  # noqa: F401 - first: it registers s3prl.pretrain.pemr

# isort: split
from plain import plain
from s3prl.pretrain.augment import augment, pitch
from s3prl.pretrain.augment.splice_search import edge_places
from s3prl.pretrain.training.precision import Precision
from s3prl.pretrain.training.runner import PretrainRunner
from sides import in_turns, machine

from s3prl_pemr.toolkit.patching import replaced

SETTINGS = Path(__file__).resolve().parent.parent / "pretrain" / "pemr"
BATCHES = (48, 256)
WARM_UP_STEPS, TIMED_STEPS = 10, 40
RATE = 16_000


@contextmanager
def reference() -> Iterator[None]:
    """Everything in plain torch."""
    with plain(), replaced(pitch, "_walk", lambda device_type: edge_places):
        yield


def runner(store: str, folder: Path, device: str, precision: str, batch: int, steps: int) -> PretrainRunner:
    """As the launcher makes it, writing nothing but its log."""
    config = yaml.safe_load((SETTINGS / "config_runner.yaml").read_text())
    config["runner"] |= {
        "n_epochs": -1, "total_steps": steps, "precision": precision, "picture_step": 0, "save_step": 10**9,
        "keep_every_epochs": 0, "log_step": 10,
    }  # fmt: skip
    config["pretrain_expert"]["datarc"] |= {
        "store": store, "train_batch_size": batch, "statistics_clips": 256, "seed": 1
    }  # fmt: skip
    model = yaml.safe_load((SETTINGS / "config_model.yaml").read_text())
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    return PretrainRunner(folder, config, model, device, 0, None)


def correctness(store: str, folder: Path, device: str) -> dict[str, float]:
    """One batch on the CPU and on the device, both in fp32 without TF32: how far they are apart."""
    found = {}
    for name in ("cpu", device):
        made = runner(store, folder / "correctness", name, "fp32", 16, 1)
        made.expert.data_config.num_workers = 0
        batch = next(iter(made.expert.get_train_dataloader()))
        records = defaultdict(list)
        wavs = made.expert.views(batch).cpu()
        loss, _ = made.expert(batch, records=records)
        loss.backward()
        gradient = torch.cat([p.grad.flatten().cpu() for p in made.expert.method.parts()["encoder"]])
        found[name] = wavs, loss.item(), gradient
    (wavs, loss, gradient), (other_wavs, other_loss, other_gradient) = found["cpu"], found[device]
    return {
        "waveforms": ((wavs - other_wavs).norm() / wavs.norm()).item(),
        "loss": abs(loss - other_loss) / loss,
        "encoder_gradient": ((gradient - other_gradient).norm() / gradient.norm()).item(),
    }


def parts(store: str, folder: Path, device: str, batch_size: int, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each part of a step, reference and fast."""
    made = runner(store, folder / "parts", device, "fp32", batch_size, 1)
    expert, model = made.expert, made.expert.method.model
    batch = next(iter(expert.get_train_dataloader()))
    crops = batch.crops.to(device).float() / 32_768
    frames = model.frontend(crops)
    corruption = batch.corruption.to(device)

    def encoder() -> None:
        for view in (*frames.chunk(2), frames[:batch_size]):
            model.clip_vectors(view).float().square().sum().backward()

    def prediction() -> None:
        model.predict(corruption.apply(frames)).float().square().sum().backward()

    calls: dict[str, Callable[[], object]] = {
        "augmentation": lambda: augment(crops, batch.draws, RATE, expert.delay_volume),
        "front end": lambda: model.frontend(crops),
        "masks": lambda: model.masks(*frames.chunk(2)),
        "encoder, 3 views": encoder,
        "prediction": prediction,
    }
    bf16 = Precision("bf16", device)

    def in_way(call: Callable[[], object], context: Callable, half: bool) -> Callable[[], None]:
        def run() -> None:
            with context(), bf16.autocast() if half else nullcontext():
                call()

        return run

    found = {}
    for name, call in calls.items():
        ways = {
            "reference": in_way(call, reference, half=False),
            "fast": in_way(call, nullcontext, half=True),
        }
        seconds = in_turns(ways, rounds, warm_up=3)
        found[name] = {side: 1e3 * taken for side, taken in seconds.items()}
    return found


def loop(store: str, folder: Path, device: str, precision: str, batch_size: int) -> dict[str, float]:
    """Clips a second of the whole loop, peak memory, kernels a step."""
    steps = WARM_UP_STEPS + TIMED_STEPS
    made = runner(store, folder / "loop", device, precision, batch_size, steps)
    made.expert.train()
    records, begun, done, loader = defaultdict(list), 0.0, 0, made.expert.get_train_dataloader()
    log = type("Log", (), {"records": records})()
    while done < steps:
        for batch in loader:
            if done == WARM_UP_STEPS:
                _wait(device)
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
    return {
        "clips_per_second": batch_size * TIMED_STEPS / seconds, "peak_gib": memory,
        "kernels": sum(event.count for event in profiled.key_averages()),
    }  # fmt: skip


def limits(device: str) -> dict[str, float]:
    """What the card reaches: TFLOP/s of a bf16 product, TB/s of a copy."""
    size = 4_096 if device != "cpu" else 256
    a = torch.randn(size, size, device=device, dtype=torch.bfloat16)
    big = torch.empty(2**28 if device != "cpu" else 2**20, device=device)
    seconds = in_turns({"product": lambda: a @ a, "copy": big.clone}, rounds=10, warm_up=3)
    return {
        "bf16_tflops": 2 * size**3 / seconds["product"] / 1e12,
        "copy_tb_per_second": 2 * big.numel() * 4 / seconds["copy"] / 1e12,
    }


def losses(store: str, folder: Path, device: str, precision: str, steps: int) -> list[dict[str, float]]:
    """The log of a run."""
    made = runner(store, folder / f"losses-{precision}", device, precision, 48, steps)
    made.train()
    log = folder / f"losses-{precision}" / "log.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()]


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def main() -> None:
    """Everything, kept as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("store")
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    found: dict[str, object] = {"machine": machine()}

    def keep(name: str, value: object) -> None:
        found[name] = value
        print(f"{name}: {json.dumps(value)}", flush=True)
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "gpu.json").write_text(json.dumps(found, indent=1) + "\n")

    work = args.out / "runs"
    keep("limits", limits(args.device))
    keep("correctness", correctness(args.store, work, args.device))
    for batch in args.batches:
        keep(f"parts of {batch}, ms", parts(args.store, work, args.device, batch, rounds=10))
        with reference():
            keep(f"loop of {batch}, reference", loop(args.store, work, args.device, "fp32", batch))
        keep(f"loop of {batch}, fast", loop(args.store, work, args.device, "bf16", batch))
    for precision in ("fp32", "bf16"):
        keep(f"losses, {precision}", losses(args.store, work, args.device, precision, args.steps)[-3:])


if __name__ == "__main__":
    main()
