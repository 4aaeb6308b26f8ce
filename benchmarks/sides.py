"""Sides of one comparison, timed in turns in one process; a ratio of medians is what counts."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import torch


def cpu_name() -> str:
    """As the system names it."""
    info = Path("/proc/cpuinfo")
    names = [
        line.partition(":")[2].strip()
        for line in (info.read_text().splitlines() if info.exists() else [])
        if line.startswith("model name")
    ]
    return names[0] if names else platform.processor()


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cpu": cpu_name(), "cores": os.cpu_count(), "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1), "torch": torch.__version__,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }  # fmt: skip


def in_turns(sides: dict[str, Callable[[], object]], rounds: int, warm_up: int = 1) -> dict[str, float]:
    """Median seconds of each side over `rounds`, after some that do not count.

    On CUDA each call is waited for.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(warm_up + rounds):
        for name, call in sides.items():
            begun = perf_counter()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if turn >= warm_up:
                seconds[name].append(perf_counter() - begun)
    return {name: float(np.median(taken)) for name, taken in seconds.items()}


class Report:
    """Prints each comparison when it is done, and keeps all of them as JSON.

    Args: path: of the JSON, or None.
    """

    def __init__(self, path: Path | None):
        self.path, self.found = path, {"machine": machine(), "comparisons": {}}
        print(", ".join(f"{name} {value}" for name, value in self.found["machine"].items()), flush=True)

    def add(self, title: str, seconds: dict[str, float], count: float, unit: str) -> None:
        """One comparison, against its first side.

        Args:
            title: what is compared.
            seconds: of each side.
            count, unit: how much of what a side does in that time.
        """
        first = next(iter(seconds.values()))
        self.found["comparisons"][title] = {
            name: {"ms": 1e3 * taken / count, "per": unit, "times_as_fast": first / taken}
            for name, taken in seconds.items()
        }
        print(f"\n{title}")
        for name, taken in seconds.items():
            print(f"  {name:38} {1e3 * taken / count:9.2f} ms a {unit:10} {first / taken:6.2f} x", flush=True)
        if self.path:
            self.path.write_text(json.dumps(self.found, indent=1) + "\n")


def arguments(description: str, rounds: int) -> argparse.ArgumentParser:
    """--rounds and --json."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--json", type=Path, help="keep the figures in this file too")
    return parser
