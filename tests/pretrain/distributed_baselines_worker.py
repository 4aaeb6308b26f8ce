"""Run by test_distributed_baselines.py, alone or under torchrun: FOLDER with config.json in it."""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

import s3prl_pemr  # noqa: F401 - first: it registers s3prl.pretrain.baselines

# isort: split
from distributed_worker import training
from s3prl.pretrain.baselines.byol import byol_loss
from s3prl.pretrain.baselines.cola import bilinear_loss
from s3prl.pretrain.baselines.moco import info_nce
from s3prl.pretrain.baselines.simclr import nt_xent
from s3prl.pretrain.pemr.global_batch import global_gather, world_size

from s3prl_pemr.torchrun import process_group, rank

CLIPS, WIDTH = 12, 5


def objectives(folder: Path) -> None:
    """Fixed projections of 12 clips, float64, split over the processes: losses and gradients."""
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, dtype=torch.float64, generator=generator)  # noqa: E731
    projections, queue, weight = draw(4, CLIPS, WIDTH), F.normalize(draw(7, WIDTH), dim=1), draw(WIDTH, WIDTH)
    share = CLIPS // world_size()
    local = projections[:, rank() * share : (rank() + 1) * share]
    losses = {
        "nt_xent": lambda a, b, c, d: nt_xent(a, b, 0.5),
        "bilinear": lambda a, b, c, d: bilinear_loss(a, b, weight),
        "info_nce": lambda a, b, c, d: info_nce(F.normalize(a, dim=1), F.normalize(b, dim=1), queue, 0.2),
        "byol": byol_loss,
    }
    results = {"gathered": global_gather(local[0])}
    for name, loss_of in losses.items():
        inputs = local.clone().requires_grad_()
        loss = loss_of(*inputs)
        loss.backward()
        # DistributedDataParallel takes the mean over processes
        results[name] = (loss.detach(), inputs.grad / world_size())
    torch.save(results, folder / f"objectives{rank()}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    target = Path(sys.argv[1])
    config = json.loads((target / "config.json").read_text())
    with process_group("cpu"):
        objectives(target)
        for method, settings in config["models"].items():
            (target / method).mkdir(exist_ok=True)
            training(target / method, {"runner": config["runner"], "model": settings})
