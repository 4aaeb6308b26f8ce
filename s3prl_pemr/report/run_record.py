"""run.json: how each start of a run was typed, and all that decides its result.

{"format": 1, "starts": [{"command": [...], "folder": ..., "directory": ..., "began": ..., "device": ...,
 "processes": [1, 1], "settings": {...}, "data": {store: fingerprint}, "versions": {...}, "git": {...}}, ...]}
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import s3prl_pemr
from s3prl_pemr.safety.whole_file import write_whole
from s3prl_pemr.toolkit.registration import PLUGIN_ROOT

RUN_FILE = "run.json"
FORMAT = 1
# What of our dependencies decides a number.
PACKAGES = (
    "torch",
    "torchaudio",
    "s3prl",
    "numpy",
    "scipy",
    "librosa",
    "scikit-learn",
    "soundfile",
    "av",
    "soxr",
)


def record_start(
    folder: Path,
    command: Sequence[str],
    settings: Mapping[str, Any] | None,
    data: Mapping[str, str],
    device: str,
) -> None:
    """Add a start to a run's folder; one process calls it. Raises OSError, ValueError for a damaged run.json.

    Args:
        folder: of the run.
        command: what was typed, without `s3prl-pemr`.
        settings: in force, whole; None where they are not known.
        data: fingerprints of the stores, by their paths.
        device: of the run.
    """
    sizes = [int(os.environ.get(name, 1)) for name in ("GROUP_WORLD_SIZE", "LOCAL_WORLD_SIZE")]
    start = {
        "command": list(map(str, command)), "folder": str(folder), "directory": str(Path.cwd()),
        "began": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "processes": sizes, "device": device,
        "settings": settings, "data": dict(data), "versions": versions(), "git": git_state(PLUGIN_ROOT),
    }  # fmt: skip
    starts = read_starts(folder) if (folder / RUN_FILE).exists() else []
    content = json.dumps({"format": FORMAT, "starts": [*starts, start]}, indent=1, default=str)
    write_whole(folder / RUN_FILE, (content + "\n").encode())


def read_starts(folder: Path) -> list[dict[str, Any]]:
    """All starts, oldest first. Raises ValueError (one line) where there is no run.json, or a damaged one."""
    path = folder / RUN_FILE
    try:
        content = json.loads(path.read_bytes())
        starts = content["starts"]
        if content["format"] != FORMAT or not all(map(_is_start, starts)):
            raise ValueError("another form")
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; runs of this version have one") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: damaged, or of another version; remove it, and only the record is lost"
        ) from error
    return starts


def _is_start(start: Any) -> bool:
    return all(isinstance(word, str) for word in start["command"]) and isinstance(start["folder"], str)


def versions() -> dict[str, str | None]:
    """Of Python, of this package and of PACKAGES; `cuda` and `gpu` where there is one."""
    found: dict[str, str | None] = {"python": platform.python_version(), "s3prl_pemr": s3prl_pemr.__version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    if torch.cuda.is_available():
        found |= {"cuda": torch.version.cuda, "gpu": torch.cuda.get_device_name()}
    return found | {"platform": platform.platform()}


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit of a checkout, and whether files differ; None where the folder is not the root of one.

    `git status` alone would write what it found to the index: a run that ends then leaves its lock there.
    """
    if not (folder / ".git").exists():
        return None
    try:
        commit, status = (
            subprocess.run(
                ["git", "--no-optional-locks", "-C", folder, *words],
                capture_output=True,
                text=True,
                timeout=10,
                check=True,
            )
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain"))
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit.stdout.strip(), "changed": bool(status.stdout.strip())}
