"""What the tests of the runner share: a config, a run in this process, and what it left."""

import json

import torch
from s3prl.pretrain.training.runner import PretrainRunner


def runner_config(store):
    """3 epochs of 3 batches of 4."""
    return {
        "runner": {
            "n_epochs": 3, "log_step": 2, "save_step": 2, "max_keep": 2, "picture_step": 4,
            "keep_every_epochs": 2,
        },
        "optimizer": {"name": "TorchOptim", "torch_optim_name": "Adam", "lr": 3e-3, "weight_decay": 1e-6},
        "pretrain_expert": {
            "datarc": {
                "store": store, "train_batch_size": 4, "crop_samples": 8_000, "num_workers": 0,
                "statistics_clips": 16, "seed": 7,
            }
        },
    }  # fmt: skip


def run(tmp_path, name, config, model_settings, states=None):
    torch.manual_seed(5)
    (tmp_path / name).mkdir(exist_ok=True)
    runner = PretrainRunner(tmp_path / name, config, model_settings, "cpu", rank=0, states=states)
    assert runner.train() == 0
    return runner


def load(path):
    return torch.load(path, weights_only=True)


def log_lines(folder):
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "clips_per_second"} for line in lines]


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b
