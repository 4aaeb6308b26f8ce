"""Run by test_distributed.py, alone or under torchrun: FOLDER with config.json in it, results beside it."""

import json
import sys
from pathlib import Path

import torch

import s3prl_pemr  # noqa: F401 - first: it registers s3prl.pretrain.pemr

# isort: split
from s3prl.pretrain.pemr.global_batch import world_size
from s3prl.pretrain.pemr.objective import cross_correlation, negative_loss, positive_loss
from s3prl.pretrain.pemr.runner import PretrainRunner
from s3prl.pretrain.pemr.training_log import TrainingLog

from s3prl_pemr.torchrun import process_group, rank

STEPS = 5


def objective(folder: Path) -> None:
    """Fixed projections of 12 clips, float64, split over the processes: loss and gradient."""
    projections = torch.randn(3, 12, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    projections[2, :, 3] = 7.0  # a constant column
    share = 12 // world_size()
    local = projections[:, rank() * share : (rank() + 1) * share].clone().requires_grad_()
    z_a, z_pos, z_neg = local
    loss = positive_loss(cross_correlation(z_a, z_pos), 0.005) + negative_loss(
        cross_correlation(z_a, z_neg), 0.005
    )
    loss.backward()
    # DistributedDataParallel takes the mean over processes
    torch.save(
        {"loss": loss.detach(), "gradient": local.grad / world_size()}, folder / f"objective{rank()}.pt"
    )


def training(folder: Path, config: dict) -> None:
    """Steps of the runner, batch norm in eval mode: gloo cannot synchronise its statistics."""
    torch.manual_seed(0)
    runner = PretrainRunner(folder, config["runner"], config["model"], "cpu", rank(), None)
    initial = {name: weights.clone() for name, weights in runner.expert.method.state_dict().items()}
    loader = runner.expert.get_train_dataloader()
    runner._distribute()
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


if __name__ == "__main__":
    torch.set_num_threads(1)
    target = Path(sys.argv[1])
    with process_group("cpu"):
        objective(target)
        training(target, json.loads((target / "config.json").read_text()))
