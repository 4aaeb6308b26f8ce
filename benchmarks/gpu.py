"""What a GPU makes of pretraining: correctness against the CPU, parts of a step, whole loops, losses.

    python benchmarks/gpu.py STORE OUT [--steps 300] [--device cuda] [--quick]

Meant as one call of under eight minutes on one card. Each side is named: `reference` is fp32 with the pitch
shift's search and the encoder's first block in torch, read from the files; `fast` is bf16 with the kernels
and the store on the device, with config.runner.compile as it says. A part that fails leaves its error, and
the next one begins. OUT gets gpu.json, losses.png and the runs' logs.

Without a network the machine needs the wheels of s3prl, omegaconf, tensorboardX, soundfile, cffi, pycparser,
soxr, librosa, audioread, pooch, lazy-loader, msgpack, decorator, platformdirs, xxhash beside torch,
torchaudio, transformers, scikit-learn, pandas, matplotlib: pip install --no-index --no-deps --target DIR
*.whl. The kernels and the compiler need triton and a C compiler.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

import s3prl_pemr  # noqa: F401 - first: it registers s3prl.pretrain.pemr

# isort: split
from gpu_evaluation import TRACK_SECONDS, cqt, features
from gpu_runs import draw, loop, losses, runner, work
from plain import plain
from s3prl.pretrain.augment import augment, pitch
from s3prl.pretrain.augment.splice_search import edge_places
from s3prl.pretrain.training.precision import Precision
from sides import in_turns, machine

from s3prl_pemr.toolkit.patching import replaced

BATCHES = (48, 256)
TIMED_STEPS = 40
RATE = 16_000


@contextmanager
def reference() -> Iterator[None]:
    """Everything in plain torch."""
    with plain(), replaced(pitch, "_walk", lambda device_type: edge_places):
        yield


def correctness(store: str, folder: Path, device: str, batch_size: int) -> dict[str, float]:
    """One batch on the CPU and on the device, both in fp32 without TF32: how far they are apart."""
    found = {}
    for name in ("cpu", device):  # the same name twice where there is only a CPU
        made = runner(store, folder / "correctness", name, "fp32", batch_size, 1)
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
    crops = expert.crops(batch)
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


def shares(found: dict[str, Any], batches: Sequence[int]) -> dict[str, float]:
    """Of the time of each loop's step, what its products and activations take at the card's own limits."""
    card, share = found["limits"], {}
    for batch in batches:
        step = found[f"work of {batch}"]
        floor = step["tera_operations"] / card["bf16_tflops"]
        floor += 2 * step["activation_gb"] / 1e3 / card["copy_tb_per_second"]
        for name, part in found.items():
            if name.startswith(f"loop of {batch},") and "failed" not in part:
                share[name] = floor * part["clips_per_second"] / batch
    return share


def main(arguments: list[str] | None = None) -> None:
    """Everything, kept as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("store")
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--quick", action="store_true", help="every part at a tiny size")
    args = parser.parse_args(arguments)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    found: dict[str, Any] = {"machine": machine()}

    def keep(name: str, part: Callable[[], object]) -> None:
        begun = time.perf_counter()
        try:
            found[name] = part()
        except Exception as error:  # the other parts are worth having
            found[name] = {"failed": f"{type(error).__name__}: {error}"}
        print(f"{name} ({time.perf_counter() - begun:.0f} s): {json.dumps(found[name])[:2000]}", flush=True)
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "gpu.json").write_text(json.dumps(found, indent=1) + "\n")

    batches, steps, timed, rounds = args.batches, args.steps, TIMED_STEPS, 10
    clips, track_seconds = 64, TRACK_SECONDS
    if args.quick:
        batches, steps, timed, rounds, clips, track_seconds = [4], 2, 1, 1, 1, 10.0
    where = args.store, args.out / "runs", args.device
    compiled = () if args.device == "cpu" else ("on", "graphs")
    keep("limits", lambda: limits(args.device))
    keep("correctness", lambda: correctness(*where, min(16, batches[0])))
    for batch in batches:
        keep(f"work of {batch}", lambda batch=batch: work(*where, batch))
        keep(f"parts of {batch}, ms", lambda batch=batch: parts(*where, batch, rounds))
        with reference():
            keep(f"loop of {batch}, reference", lambda batch=batch: loop(*where, "fp32", batch, timed))
        for way in ("off", *(compiled if batch == batches[0] else compiled[:1])):  # each compiles anew
            keep(
                f"loop of {batch}, fast, compile {way}",
                lambda batch=batch, way=way: loop(*where, "bf16", batch, timed, way),
            )
    keep("features, clips a second", lambda: features(args.device, clips, rounds))
    keep("CQT, tracks a second", lambda: cqt(args.device, rounds, track_seconds))
    curves = {}
    for precision, way in (("fp32", "off"), ("bf16", "off"), *(("bf16", way) for way in compiled[:1])):
        name = f"losses, {precision}, compile {way}"
        keep(name, lambda one=precision, way=way: losses(*where, one, batches[0], steps, way))
        if isinstance(found[name], list):
            curves[name] = found[name]
    keep("share of the card's limit", lambda: shares(found, batches))
    draw(curves, args.out / "losses.png")


if __name__ == "__main__":
    main()
