"""--preset quick: a first result in minutes, sized to the store and the machine; paper: the yaml as it is."""

from __future__ import annotations

import os
from typing import Any

import torch

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


def with_preset(
    command: str, preset: str | None, override: str | None, device: str, task: str | None = None
) -> str:
    """The -o of a run: the preset's settings, then the user's own, which win.

    Args:
        command: pretrain or downstream.
        preset: of PRESETS; None is paper.
        override: -o as typed.
        device: of the run.
        task: -d, of downstream.

    Raises:
        ValueError: one line: quick without a store that it could be sized to.
    """
    if preset in (None, "paper"):
        return override or ""
    key = STORE[command]
    store = dict(options(override)).get(key)
    if not store:
        raise ValueError(f'--preset {preset} is sized to the store: name it with -o "{key}=STORE"')
    sized = _pretraining if command == "pretrain" else _downstream
    settings = sized(AudioStore(store), device.startswith("cuda"), task)
    return ",,".join([*(f"{name}={value}" for name, value in settings.items()), override or ""])


def _pretraining(store: AudioStore, cuda: bool, task: None) -> dict[str, Any]:
    tracks = _count(store, "train") or len(store)
    batch = min(48 if cuda else CPU_BATCH, tracks)
    steps = 3_000 if cuda else CPU_TRACKS * _cores() // 2 // batch
    settings: dict[str, Any] = {"config.runner.total_steps": steps, "config.runner.n_epochs": -1}
    settings |= {"config.runner.save_step": steps // 5, "config.runner.log_step": 10}
    settings |= {"config.runner.keep_every_epochs": 0, "config.runner.picture_step": 0}
    datarc = "config.pretrain_expert.datarc"
    settings |= {f"{datarc}.train_batch_size": batch, f"{datarc}.statistics_clips": min(512, tracks)}
    if not cuda:
        settings |= {f"{datarc}.crop_samples": CPU_CROP_SAMPLES, "augment.pitch_probability": 0.0}
    return settings


def _downstream(store: AudioStore, cuda: bool, task: str | None) -> dict[str, Any]:
    steps = 200 if task == "cover_song" else 1_000
    settings: dict[str, Any] = {"config.runner.total_steps": steps}
    settings |= {f"config.runner.{name}_step": steps // 10 for name in ("eval", "save", "log")}
    if task == "music_tagging":
        train, dev = _count(store, "train"), _count(store, "valid")
        batch = max(min(48, train // 4), 1)
        settings["config.downstream_expert.datarc.train_batch_size"] = batch
        clips = CPU_CLIPS * _cores() // 2
        if not cuda and train + dev > clips:  # the features of the rest would take hours
            settings["config.downstream_expert.datarc.label_fraction"] = round(0.8 * clips / train, 4)
            settings["config.runner.evaluate_ratio"] = round(min(1.0, 0.2 * clips / max(dev, 1)), 4)
    return settings


def _count(store: AudioStore, split: str) -> int:
    try:
        return len(store.select(split))
    except StoreError:
        return 0


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else torch.get_num_threads()
