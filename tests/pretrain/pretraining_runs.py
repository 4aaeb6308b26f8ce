"""What the tests of the runner share: a run in this process, and what it left."""

import json

import torch
from s3prl.pretrain.pemr.runner import PretrainRunner


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
