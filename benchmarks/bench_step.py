"""A pretraining step, its parts and the features of whole clips: the plain way, the fast one, and in bf16.

python benchmarks/bench_step.py [--batch 12] [--clips 2] [--rounds 5] [--threads 1] [--json FILE]
    [--plot FILE]

With --plot also what a step costs by its batch, and features by the track's length, drawn as PNG.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
import torch
import yaml

import s3prl_pemr  # noqa: F401 - first: it registers s3prl.pretrain.pemr

# isort: split
from plain import plain
from s3prl.pretrain.augment import AugmentConfig, augment, draw
from s3prl.pretrain.pemr.method import PemrMethod
from sides import Report, arguments, in_turns

BATCHES, MINUTES = (2, 4, 8, 16, 32, 48), (0.5, 1, 2, 5, 10, 30)
SETTINGS = Path(__file__).resolve().parent.parent / "pretrain" / "pemr" / "config_model.yaml"
CROP_SAMPLES, CLIP_SAMPLES, RATE = 43_200, 465_600, 16_000


def sides(call: Callable[[], None], half: bool = True) -> dict[str, Callable[[], None]]:
    """The same call in three ways."""

    def in_plain() -> None:
        with plain():
            call()

    def in_bf16() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            call()

    return {"plain, fp32": in_plain, "fast, fp32": call} | ({"fast, bf16": in_bf16} if half else {})


def draw_costs(method: PemrMethod, path: Path) -> None:
    """Seconds of processor time of a step by its batch, and of features by the track's minutes."""
    from matplotlib import pyplot

    method.train()
    step_ms = {batch: 1e3 * processor_seconds(partial(one_step, method, batch)) / batch for batch in BATCHES}
    model = method.model.eval()
    seconds = {minutes: processor_seconds(partial(hear, model, minutes)) for minutes in MINUTES}
    print("\nms of a core a track, by batch", {batch: round(ms) for batch, ms in step_ms.items()})
    print("seconds of a core, by minutes", {minutes: round(taken, 2) for minutes, taken in seconds.items()})
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    left.plot(list(step_ms), list(step_ms.values()), marker="o")
    left.set(xlabel="tracks in a batch", title="A step, ms of a core a track", ylim=(0, None))
    right.plot(list(seconds), list(seconds.values()), marker="o")
    right.set(xlabel="minutes of the track", title="Features, seconds of a core", xscale="log", yscale="log")
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def processor_seconds(call: Callable[[], None]) -> float:
    """The least of three, of this process: other work on the machine counts little."""
    taken = []
    for _ in range(3):
        begun = process_time()
        call()
        taken.append(process_time() - begun)
    return min(taken)


def one_step(method: PemrMethod, batch: int) -> None:
    """Of noise, there and back."""
    wavs = 0.1 * torch.randn(2 * batch, CROP_SAMPLES)
    frames = CROP_SAMPLES // method.model.config.frontend.hop_samples + 1
    corruption = method.corruption.draw([np.random.default_rng(0) for _ in wavs], frames)
    method(wavs, corruption)[0].backward()
    method.zero_grad()


@torch.no_grad()
def hear(model: torch.nn.Module, minutes: float) -> None:
    """A track of noise."""
    samples = round(60 * minutes * RATE)
    model(0.1 * torch.randn(1, samples), torch.tensor([samples]))


def main() -> None:
    """Time each part and print it."""
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--batch", type=int, default=12, help="tracks, of two crops each")
    parser.add_argument("--clips", type=int, default=2, help="of 29.1 s, for the features")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="measure and draw what batch and length cost, as PNG")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    method = PemrMethod(yaml.safe_load(SETTINGS.read_text()), str(SETTINGS)).train()
    model = method.model
    wavs = 0.1 * torch.randn(2 * args.batch, CROP_SAMPLES)
    frames = model.frontend(wavs)
    generators = [np.random.default_rng(number) for number in range(len(wavs))]
    corruption = method.corruption.draw(generators, frames.shape[1])
    report = Report(args.json)

    def step() -> None:
        loss, _ = method(wavs, corruption)
        loss.backward()
        method.zero_grad()

    def masks() -> None:
        model.masks(*frames.chunk(2))

    def encoder() -> None:
        for view in (*frames.chunk(2), frames[: args.batch].roll(1, dims=1)):
            model.clip_vectors(view).float().square().sum().backward()
        method.zero_grad()

    def prediction() -> None:
        model.predict(frames).float().square().sum().backward()
        method.zero_grad()

    for name, part, half in (
        ("whole step", step, True), ("mask pass", masks, False),
        ("encoder on three views, there and back", encoder, True),
        ("prediction of both branches, there and back", prediction, True),
    ):  # fmt: skip
        report.add(name, in_turns(sides(part, half), args.rounds), args.batch, "track")

    clips = 0.1 * torch.randn(args.clips, CLIP_SAMPLES)
    lengths = torch.full((args.clips,), CLIP_SAMPLES)
    model.eval()

    @torch.no_grad()
    def features() -> None:
        model(clips, lengths)

    report.add("features of a clip of 29.1 s", in_turns(sides(features), args.rounds), args.clips, "clip")

    config = AugmentConfig()
    draws = draw(config, generators, RATE)
    without = draw(AugmentConfig(pitch_probability=0.0), generators, RATE)
    ways = {
        "with pitch shift": partial(augment, wavs, draws, RATE),
        "without": partial(augment, wavs, without, RATE),
    }
    report.add("augmentation", in_turns(ways, args.rounds), args.batch, "track")
    if args.plot:
        draw_costs(method, args.plot)


if __name__ == "__main__":
    main()
