"""Pretraining in two processes under torchrun against one, at one thread each and the same global batch.

    python benchmarks/bench_processes.py [--batch 24] [--steps 12] [--json FILE]

Both sides are whole commands, each timed twice with different numbers of steps: the difference leaves their
start out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from bench_supply import sparse_store
from sides import Report, arguments

ROOT = Path(__file__).resolve().parent.parent
FEW_STEPS = 2


def seconds(folder: Path, launcher: list[str], batch: int, steps: int) -> float:
    """Of one pretraining run."""
    settings = {
        "config.pretrain_expert.datarc.store": folder / "store",
        "config.pretrain_expert.datarc.train_batch_size": batch,
        "config.pretrain_expert.datarc.statistics_clips": 8,
        "config.pretrain_expert.datarc.num_workers": 0,
        "config.runner.total_steps": steps, "config.runner.n_epochs": -1, "config.runner.precision": "fp32",
        "config.runner.keep_every_epochs": 0, "config.runner.log_step": steps,
    }  # fmt: skip
    override = ",,".join(f"{name}={value}" for name, value in settings.items())
    with tempfile.TemporaryDirectory(dir=folder) as run:
        command = [*launcher, str(ROOT / "run_pretrain.py"), "-u", "pemr", "-p", run, "-o", override]
        begun = perf_counter()
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        return perf_counter() - begun


def main() -> None:
    """Print seconds a step of both."""
    parser = arguments(__doc__, rounds=1)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--steps", type=int, default=12)
    args = parser.parse_args()
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node"]
    sides = {"one process": [sys.executable], "two under torchrun": [*torchrun, "2"]}
    taken = {name: 0.0 for name in sides}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "store").mkdir()
        sparse_store(folder / "store", 10 * args.batch)
        for side, launcher in sides.items():
            for steps, sign in ((FEW_STEPS, -1), (FEW_STEPS + args.steps, 1)):
                taken[side] += sign * seconds(folder, launcher, args.batch, steps)
    Report(args.json).add("pretraining", taken, args.steps, "step")


if __name__ == "__main__":
    main()
