"""What test_parts.py computes in its own process, and in two under torchrun: FOLDER STORE STORE."""

import json
import sys
from pathlib import Path

import distributed_worker
import torch

from s3prl_pemr.loops.torchrun import process_group, rank


def compute(folder, stores):
    """Steps over this process's own store."""
    settings = json.loads((folder / "config.json").read_text())
    settings["runner"]["pretrain_expert"]["datarc"]["store"] = stores[rank()]
    (folder / "run").mkdir(exist_ok=True)
    distributed_worker.training(folder / "run", settings["runner"], settings["model"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    with process_group("cpu"):
        compute(Path(sys.argv[1]), sys.argv[2:])
