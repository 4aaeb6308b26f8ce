"""A pretraining step, its parts and the features of whole clips: the plain way, the fast one, and in bf16.

python benchmarks/bench_step.py [--batch 12] [--clips 2] [--rounds 5] [--threads 1] [--json FILE]
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
import yaml

import s3prl_pemr  # noqa: F401 - first: it registers s3prl.pretrain.pemr

# isort: split
from plain import plain
from s3prl.pretrain.augment import AugmentConfig, augment, draw
from s3prl.pretrain.pemr.method import PemrMethod
from sides import Report, arguments, in_turns

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


def main() -> None:
    """Time each part and print it."""
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--batch", type=int, default=12, help="tracks, of two crops each")
    parser.add_argument("--clips", type=int, default=2, help="of 29.1 s, for the features")
    parser.add_argument("--threads", type=int, default=1)
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


if __name__ == "__main__":
    main()
