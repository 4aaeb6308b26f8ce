"""What test_distributed.py computes in its own process, and in two under torchrun: FOLDER."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F

import s3prl_pemr  # noqa: F401 - first: it registers s3prl.pretrain.pemr

# isort: split
from s3prl.pretrain.baselines.byol import byol_loss
from s3prl.pretrain.baselines.cola import bilinear_loss
from s3prl.pretrain.baselines.moco import info_nce
from s3prl.pretrain.baselines.simclr import nt_xent
from s3prl.pretrain.pemr.objective import cross_correlation, negative_loss, positive_loss
from s3prl.pretrain.training.global_batch import distributed, global_gather, world_size
from s3prl.pretrain.training.log import TrainingLog
from s3prl.pretrain.training.runner import PretrainRunner

from s3prl_pemr.loops.torchrun import process_group, rank

CLIPS, WIDTH, STEPS = 12, 5, 5


def losses() -> dict[str, Callable]:
    """By name: of four projections of this process's clips."""
    generator = torch.Generator().manual_seed(1)
    queue, weight = torch.randn(2, WIDTH, WIDTH, dtype=torch.float64, generator=generator)
    normal = lambda z: F.normalize(z, dim=1)  # noqa: E731
    return {
        "pemr": lambda a, pos, neg, _: (
            positive_loss(cross_correlation(a, pos), 0.005) + negative_loss(cross_correlation(a, neg), 0.005)
        ),
        "nt_xent": lambda a, b, *_: nt_xent(a, b, 0.5),
        "bilinear": lambda a, b, *_: bilinear_loss(a, b, weight),
        "info_nce": lambda a, b, *_: info_nce(normal(a), normal(b), normal(queue), 0.2),
        "byol": byol_loss,
    }


def objectives(folder: Path) -> None:
    """Fixed projections of 12 clips, float64, split over the processes: losses and gradients."""
    projections = torch.randn(
        4, CLIPS, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    projections[2, :, 3] = 7.0  # a constant column
    share = CLIPS // world_size()
    local = projections[:, rank() * share : (rank() + 1) * share]
    results = {"gathered": global_gather(local[0])}
    for name, loss_of in losses().items():
        inputs = local.clone().requires_grad_()
        loss = loss_of(*inputs)
        loss.backward()
        # DistributedDataParallel takes the mean over processes
        results[name] = (loss.detach(), inputs.grad / world_size())
    torch.save(results, folder / f"objectives{rank()}.pt")


def training(folder: Path, config: dict, model_settings: dict) -> None:
    """Steps of the runner, batch norm in eval mode: gloo cannot synchronise its statistics."""
    torch.manual_seed(0)
    runner = PretrainRunner(folder, config, model_settings, "cpu", rank(), None)
    initial = {name: weights.clone() for name, weights in runner.expert.method.state_dict().items()}
    loader = runner.expert.get_train_dataloader()
    runner.expert.model = distributed(runner.expert.model, "cpu")
    runner.expert.train()
    for module in runner.expert.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.eval()
    log = TrainingLog(folder, "", 0, STEPS, clips=1, device="cpu", writes=False)
    while runner.step < STEPS:
        for batch in loader:
            if runner.step < STEPS:
                runner._train_step(batch, log)
    values = log.write(STEPS, 0, 0.0)
    states = {"values": values, "weights": runner.expert.method.state_dict(), "initial": initial}
    torch.save(states, folder / f"training{rank()}.pt")


def compute(folder: Path) -> None:
    """All of the above; config.json has a runner config and model settings for each method."""
    objectives(folder)
    for method, settings in json.loads((folder / "config.json").read_text()).items():
        (folder / method).mkdir(exist_ok=True)
        training(folder / method, settings["runner"], settings["model"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    with process_group("cpu"):
        compute(Path(sys.argv[1]))
