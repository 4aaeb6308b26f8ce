"""A learning rate that falls where one logged score no longer rises."""

import pytest
import torch
import yaml
from places import TOOLKIT_TASKS

from s3prl_pemr.loops.plateau import PlateauOnTag, plateau_from_config

TRAIN = ("-m", "train", "-u", "tiny_random", "-d", "counting")


@pytest.fixture
def optimizer():
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)


def test_plateau_follows_its_tag_only(optimizer):
    scheduler = PlateauOnTag(optimizer, "task/dev-loss", factor=0.5, patience=0)
    rates = []
    for tag, value in [("task/dev-loss", 1.0), ("task/x", 9.0), (None, None), ("task/dev-loss", 2.0)]:
        if tag:
            scheduler.hear(tag, value)
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [1.0, 1.0, 1.0, 0.5]


def test_plateau_state_round_trip_keeps_what_is_not_applied_yet(optimizer, tmp_path):
    scheduler = PlateauOnTag(optimizer, "loss", factor=0.5, patience=0)
    scheduler.hear("loss", 1.0)
    scheduler.step()
    scheduler.hear("loss", 3.0)
    torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    restored = PlateauOnTag(optimizer, "loss", factor=0.5, patience=0)
    restored.load_state_dict(torch.load(tmp_path / "scheduler.pt", weights_only=True))
    assert (restored.best, restored.heard) == (1.0, 3.0)
    restored.step()
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_plateau_without_metric_says_so(optimizer):
    with pytest.raises(ValueError, match="`metric` is missing"):
        plateau_from_config(optimizer, {"name": "ReduceLROnPlateau", "factor": 0.5})


def plateau_config(tmp_path, tag):
    config = yaml.safe_load((TOOLKIT_TASKS / "counting" / "config.yaml").read_text())
    config["scheduler"] = {"name": "ReduceLROnPlateau", "metric": tag, "factor": 0.5, "patience": 0}
    path = tmp_path / "plateau.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def test_plateau_in_the_toolkits_loop_and_over_a_resume(run_downstream, tmp_path):
    config = plateau_config(tmp_path, "counting/dev-constant")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run_downstream(*TRAIN, "-c", config, "-p", whole, "-o", "config.runner.total_steps=16")
    run_downstream(*TRAIN, "-c", config, "-p", parts)  # 8 steps
    run_downstream("-m", "train", "-e", parts, "-o", "config.runner.total_steps=16")
    # a score of 1 each 4 steps: the first is the best, the ones of steps 8 and 12 halve 0.01 one step later
    for expdir in (whole, parts):
        assert torch.load(expdir / "states-16.ckpt")["Optimizer"]["param_groups"][0]["lr"] == 0.0025
        assert torch.load(expdir / "states-16.ckpt")["Scheduler"]["heard"] == 1.0


def test_plateau_reports_an_unknown_tag_once(run_downstream, tmp_path, caplog):
    config = plateau_config(tmp_path, "counting/dev-los")
    run_downstream(*TRAIN, "-c", config, "-p", tmp_path / "exp")
    warnings = [record.getMessage() for record in caplog.records if "never logged" in record.getMessage()]
    assert len(warnings) == 1
    assert "counting/dev-los " in warnings[0]
    assert "counting/dev-loss" in warnings[0]
