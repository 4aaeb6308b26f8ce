"""A mistyped key of the toolkit's sections ends a run before it begins."""

import copy
import logging
import sys
import types

import pytest
import torch
import yaml
from places import ROOT, TOOLKIT_TASKS

from s3prl_pemr.loops.config_check import check_config, optimizer_faults

OURS = sorted((ROOT / "downstream").glob("*/config*.yaml"))


def config_of(path):
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize("path", OURS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_our_own_configs_pass(path):
    check_config(config_of(path), known_task=True)


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("runner", "total_step", 10, "runner: unknown key 'total_step'; did you mean total_steps"),
        ("runner", "zzz", 10, "runner: unknown key 'zzz'; there are total_steps, gradient_clipping"),
        ("runner", "total_steps", "many", "runner of the config: total_steps: Value 'many' .* could not be"),
        ("runner", "eval_step", 0, "eval_step must be at least 1"),
        ("optimizer", "weight_deca", 1, "TorchOptim: unknown key 'weight_deca'; did you mean weight_decay"),
        ("optimizer", "name", "Adaam", "optimizer: name 'Adaam' is not one of Adam, AdamW"),
        ("optimizer", "torch_optim_name", "Adaam", "optimizer: torch.optim has no 'Adaam'"),
        ("scheduler", "patienc", 1, "ReduceLROnPlateau: unknown key 'patienc'; did you mean patience"),
        ("scheduler", "name", "linear", "scheduler: name 'linear' is not one of constant_decay_schedule"),
    ],
)  # fmt: skip
def test_slips_are_named(section, key, value, message):
    config = config_of(ROOT / "downstream/music_tagging/config.yaml")
    config[section][key] = value
    with pytest.raises(ValueError, match=message) as caught:
        check_config(config, known_task=True)
    assert "\n" not in str(caught.value)


def test_a_slip_in_the_toolkits_masking(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", types.ModuleType("pandas"))  # imported there, not needed here
    config = config_of(ROOT / "downstream/music_tagging/config.yaml") | {"specaug": {"num_time_masks": 2}}
    with pytest.raises(ValueError, match="specaug: unknown key 'num_time_masks'; did you mean num_time_mask"):
        check_config(config, known_task=True)
    check_config(config | {"specaug": {"num_time_mask": 2}}, known_task=True)


def test_masking_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.delitem(sys.modules, "s3prl.downstream.specaug", raising=False)
    config = config_of(ROOT / "downstream/music_tagging/config.yaml") | {"specaug": {"num_time_mask": 2}}
    with pytest.raises(ValueError, match="specaug: the toolkit's needs pandas: pip install pandas"):
        check_config(config, known_task=True)


def test_the_top_level_and_what_is_missing():
    config = config_of(ROOT / "downstream/music_tagging/config.yaml")
    with pytest.raises(ValueError, match="the config: unknown key 'runer'; did you mean runner"):
        check_config({**config, "runer": {}}, known_task=True)
    without = copy.deepcopy(config)
    del without["runner"]["save_step"]
    with pytest.raises(ValueError, match="runner of the config: save_step missing"):
        check_config(without, known_task=True)


def test_the_toolkits_tasks_may_know_more_but_slips_are_slips():
    config = config_of(TOOLKIT_TASKS / "counting/config.yaml")
    check_config(
        {**config, "own_section": 1, "runner": {**config["runner"], "baseline": 3}}, known_task=False
    )
    with pytest.raises(ValueError, match="did you mean total_steps"):
        check_config({**config, "runner": {**config["runner"], "total_step": 3}}, known_task=False)
    with pytest.raises(ValueError, match="unknown key 'learning_rate'"):
        check_config({**config, "optimizer": {"name": "Adam", "learning_rate": 3}}, known_task=False)


def test_a_mistyped_argument(run_downstream, tmp_path):
    flags = ("-m", "train", "-u", "tiny_random", "-d", "counting", "-p", tmp_path, "-o")
    with pytest.raises(SystemExit, match="-o args.sed=3: there is no such argument; did you mean args.seed"):
        run_downstream(*flags, "args.sed=3")
    with pytest.raises(SystemExit, match="^error: runner: unknown key 'total_step'; did you mean"):
        run_downstream(*flags, "config.runner.total_step=3")


def test_an_older_checkpoint_with_a_key_that_nothing_reads_stays_of_use(run_downstream, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    run_downstream("-m", "train", "-u", "tiny_random", "-d", "counting", "-p", tmp_path)
    checkpoint = tmp_path / "states-8.ckpt"
    states = torch.load(checkpoint)
    states["Config"]["runner"]["total_step"] = 10
    torch.save(states, checkpoint)
    run_downstream("-m", "evaluate", "-e", checkpoint)
    run_downstream("-m", "train", "-e", tmp_path, "-o", "config.runner.total_steps=12")
    assert torch.load(tmp_path / "states-12.ckpt")["Step"] == 12
    assert "12 steps; 8 are done" in caplog.text
    assert f"{checkpoint}: runner: unknown key 'total_step'; did you mean total_steps?" in caplog.text
    with pytest.raises(SystemExit, match="^error: runner: unknown key 'save_steps'; did you mean save_step"):
        run_downstream("-m", "train", "-e", tmp_path, "-o", "config.runner.save_steps=4")


@pytest.mark.parametrize(
    ("optimizer", "faults"),
    [
        ({"name": "Adam", "weight_decay": 1, "betas": [0, 1]}, 0),
        ({"name": "BertAdam_with_schedule", "lr": 1, "warmup_proportion": 1}, 0),
        ({"name": "BertAdam_with_schedule", "weight_decay": 1}, 1),  # swallowed: s3prl/optimizers.py:44
        ({"name": "AdamW_with_schedule", "weight_decay": 1}, 0),
        ({"name": "Lamb_with_schedule", "weight_deca": 1, "lrr": 1}, 2),
    ],
)
def test_what_an_optimizer_would_swallow_is_named(optimizer, faults):
    assert len(list(optimizer_faults({"optimizer": optimizer}))) == faults


def test_scores_of_a_part_of_a_split_are_said_to_be(run_downstream, tmp_path, caplog):
    flags = ("-m", "train", "-u", "tiny_random", "-d", "counting", "-p", tmp_path)
    run_downstream(*flags, "-o", "config.runner.evaluate_ratio=0.25")
    said = [record.getMessage() for record in caplog.records if "evaluate_ratio" in record.getMessage()]
    assert len(said) == 1  # of two evaluations
    assert said[0].startswith("dev: evaluate_ratio 0.25: scores are of the beginning of the split")
