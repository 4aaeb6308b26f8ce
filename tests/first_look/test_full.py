"""The long demo's commands, without the minutes they take."""

import numpy as np
import pytest
import soundfile
import torch
import yaml
from s3prl.downstream.cover_song.config import CoverConfig
from s3prl.downstream.music_tagging.config import TaggingConfig
from s3prl.pretrain.crops.dataset import DataConfig
from s3prl.pretrain.training.runner_config import RunnerFile
from s3prl.upstream.pemr.config import PemrConfig
from s3prl.upstream.pemr.model import PEMR

from s3prl_pemr.comparison import compare, launchers
from s3prl_pemr.comparison.__main__ import main
from s3prl_pemr.comparison.cells import Place, PretrainingCell
from s3prl_pemr.first_look import full
from s3prl_pemr.first_look.mask_example import save_mask_example
from s3prl_pemr.launch.pretrain_arguments import default_configs, parse_arguments
from s3prl_pemr.prepare.__main__ import main as prepare
from s3prl_pemr.settings import parse
from s3prl_pemr.toolkit.registration import PLUGIN_ROOT


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One track of 3 s in the test split."""
    folder = tmp_path_factory.mktemp("store")
    (folder / "audio").mkdir()
    soundfile.write(folder / "audio" / "clip.wav", 0.3 * np.sin(np.arange(48_000) ** 2 * 1e-5), 16_000)
    assert prepare(["folder", str(folder / "audio"), str(folder / "store"), "--split", "test"]) == 0
    return folder / "store"


@pytest.fixture
def checkpoint(tmp_path):
    """A random PEMR as run_pretrain.py would have saved it."""
    (tmp_path / "pretrain").mkdir()
    path = tmp_path / "pretrain" / "states-60.ckpt"
    states = {"Method": "pemr", "Upstream_Config": {}, "Upstream": PEMR(PemrConfig()).state_dict()}
    torch.save(states, path)
    return path


def test_the_demo_configs_are_valid():
    settings = yaml.safe_load((PLUGIN_ROOT / "pretrain/pemr/config_demo.yaml").read_text())
    runner = parse(RunnerFile, settings, "demo")
    data = parse(DataConfig, {**runner.pretrain_expert.datarc, "store": "STORE"}, "demo")
    assert data.split == "train"  # never the clips that are scored
    settings = yaml.safe_load((PLUGIN_ROOT / "downstream/music_tagging/config_demo.yaml").read_text())
    task = parse(TaggingConfig, settings["downstream_expert"], "demo")
    assert task.datarc.test_split == "test"
    assert settings["runner"]["eval_dataloaders"] == ["dev"]
    settings = yaml.safe_load((PLUGIN_ROOT / "downstream/cover_song/config_demo.yaml").read_text())
    parse(CoverConfig, settings["downstream_expert"], "demo")
    assert settings["runner"]["eval_dataloaders"] == ["dev"]  # nothing is chosen by a test set


def test_the_plan_and_then_the_picture(tmp_path, monkeypatch, capsys, store, checkpoint):
    seen = []
    monkeypatch.setattr(compare, "place_of", lambda plan, folder: Place(folder, {"mtat": store}))
    monkeypatch.setattr(compare, "carry_out_plan", lambda plan, place, jobs: seen.append(plan) or 0)
    monkeypatch.setattr(PretrainingCell, "checkpoint", lambda self: checkpoint)
    monkeypatch.setattr(full, "PRETRAIN_CONFIG", tmp_path / "short.yaml")
    (tmp_path / "short.yaml").write_text("pretrain_expert: {datarc: {crop_samples: 16000}}")
    assert main(["demo", "--full", str(tmp_path / "demo")]) == 0
    assert [plan.title for plan in seen] == ["PEMR on the demo corpus"]
    assert (tmp_path / "demo" / "masks.png").stat().st_size > 10_000
    assert "masks.png: " in capsys.readouterr().out
    monkeypatch.setattr(compare, "carry_out_plan", lambda plan, place, jobs: 130)
    assert main(["demo", "--full", str(tmp_path / "demo")]) == 130


def test_a_clip_too_short_for_the_picture_is_named(store, checkpoint, tmp_path):
    with pytest.raises(ValueError, match=r"clip.wav is shorter than two crops of 30000 samples"):
        save_mask_example(checkpoint, store, "test", 30_000, tmp_path / "masks.png")


def test_the_commands_need_no_checkout(tmp_path, monkeypatch):
    """They are the program's own, and the settings lie in the package."""
    commands = [
        launchers.pretrain("pemr", tmp_path, {}),
        launchers.train("music_tagging", "pemr_random", None, tmp_path, {}),
        launchers.evaluate(tmp_path, "test"),
    ]
    assert all(command[:2] == ["-m", "s3prl_pemr"] for command in commands)
    assert not any(word.endswith(".py") for command in commands for word in command)
    monkeypatch.chdir(tmp_path)
    args = parse_arguments(commands[0][3:])
    default_configs(args)
    assert args.config == str(launchers.PRETRAIN_CONFIG)
