"""--preset quick: a first result in minutes, sized to the store and the machine; paper: the yaml as it is."""

from __future__ import annotations

import os
from typing import Any

import torch
from s3prl.pretrain.crops.heard import AUTO

from s3prl_pemr.store import AudioStore, StoreError

from .override import options

PRESETS = ("paper", "quick")
HELP = "paper (default): the yaml's settings; quick: for a first result in about ten minutes on two CPU cores"
STORE = {
    "pretrain": "config.pretrain_expert.datarc.store",
    "downstream": "config.downstream_expert.datarc.store",
}
# What two cores do in six to ten minutes: crops of 1.4 s pretrained on, clips of 29 s through an upstream.
CPU_TRACKS, CPU_CLIPS = 2_400, 1_500
CPU_BATCH, CPU_CROP_SAMPLES = 16, 22_400
CUDA_BATCH = 48  # the paper's
CUDA_BATCH_BYTES = 8 << 30  # that batch of 2.7 s crops in float32: 6.3 GiB measured, and room for the rest
CPU_TRAINED_STEPS = 60  # of an upstream that is trained with the head
QUEUED = ("moco", "moco_v2")
OF_ONE_LENGTH = ("clmr",)  # its encoder wants the crops of its own yaml


def with_preset(
    command: str,
    preset: str | None,
    override: str | None,
    device: str,
    task: str | None = None,
    upstream: str | None = None,
    trained: bool = False,
) -> str:
    """The -o of a run: the preset's settings, then the user's own, which win.

    Args:
        command: pretrain or downstream.
        preset: of PRESETS; None is paper.
        override: -o as typed.
        device: of the run.
        task: -d, of downstream.
        upstream: -u.
        trained: -f, of downstream: the upstream is trained too.

    Raises:
        ValueError: one line: quick without a store that it could be sized to.
    """
    if preset in (None, "paper"):
        return override or ""
    key = STORE[command]
    given = dict(options(override))
    store = given.get(key)
    if not store:
        raise ValueError(f'--preset {preset} is sized to the store: name it with -o "{key}=STORE"')
    cuda = device.startswith("cuda")
    if command == "pretrain":
        split = given.get("config.pretrain_expert.datarc.split", AUTO)
        settings = _pretraining(AudioStore(store), device, upstream, split)
    else:
        settings = _downstream(AudioStore(store), cuda, task, trained)
    return ",,".join([*(f"{name}={value}" for name, value in settings.items()), override or ""])


def _pretraining(store: AudioStore, device: str, upstream: str | None, split: str) -> dict[str, Any]:
    cuda = device.startswith("cuda")
    tracks = _count(store, "train" if split == AUTO else split) or len(store)
    # a queue is longer than a batch and shorter than the store, and its keys are of four groups
    most = max(tracks // 8 * 4, 4) if upstream in QUEUED else tracks
    batch = min(_fits_the_gpu(device) if cuda else CPU_BATCH, most)
    steps = 3_000 if cuda else CPU_TRACKS * _cores() // 2 // batch
    settings: dict[str, Any] = {"config.runner.total_steps": steps, "config.runner.n_epochs": -1}
    settings |= {"config.runner.save_step": steps // 5, "config.runner.log_step": 10}
    settings |= {"config.runner.keep_every_epochs": 0, "config.runner.picture_step": 0}
    datarc = "config.pretrain_expert.datarc"
    settings |= {f"{datarc}.train_batch_size": batch, f"{datarc}.statistics_clips": min(512, tracks)}
    if not cuda:
        settings["augment.pitch_probability"] = 0.0
        if upstream not in OF_ONE_LENGTH:
            settings[f"{datarc}.crop_samples"] = CPU_CROP_SAMPLES
    return settings


def _downstream(store: AudioStore, cuda: bool, task: str | None, trained: bool) -> dict[str, Any]:
    steps = 200 if task == "cover_song" else 1_000
    steps = CPU_TRAINED_STEPS if trained and not cuda else steps  # no cache: each step goes through it
    settings: dict[str, Any] = {"config.runner.total_steps": steps}
    evaluations = 2 if trained and not cuda else 10
    settings |= {f"config.runner.{name}_step": steps // evaluations for name in ("eval", "save", "log")}
    if task == "music_tagging":
        train, dev = _count(store, "train"), _count(store, "valid")
        batch = max(min(48, train // 4), 1)
        settings["config.downstream_expert.datarc.train_batch_size"] = batch
        clips = CPU_CLIPS * _cores() // 2
        if not cuda and train + dev > clips:  # the features of the rest would take hours
            settings["config.downstream_expert.datarc.label_fraction"] = round(0.8 * clips / train, 4)
            settings["config.runner.evaluate_ratio"] = round(min(1.0, 0.2 * clips / max(dev, 1)), 4)
    return settings


def _fits_the_gpu(device: str) -> int:
    """Tracks of a batch: the paper's, or a multiple of 4 that the card's free memory holds."""
    free, _ = torch.cuda.mem_get_info(device)
    return max(min(CUDA_BATCH, CUDA_BATCH * free // CUDA_BATCH_BYTES // 4 * 4), 4)


def _count(store: AudioStore, split: str) -> int:
    try:
        return len(store.select(split))
    except StoreError:
        return 0


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else torch.get_num_threads()
