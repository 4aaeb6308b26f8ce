"""The long demo's commands, without the minutes they take."""

import json
from pathlib import Path

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

from s3prl_pemr.comparison import launchers
from s3prl_pemr.comparison.__main__ import main
from s3prl_pemr.comparison.stages import Stages
from s3prl_pemr.first_look import covers, full, mask_example, tagging
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
    # The test sets are scored with the last step's weights alone: there is nothing to choose by them.
    assert settings["runner"]["eval_step"] == settings["runner"]["total_steps"]
    assert settings["runner"]["eval_dataloaders"] == ["dev", *covers.SETS]


def tagging_scores():
    intervals = {"roc_auc": [0.7, 0.8], "pr_auc": [0.4, 0.6]}
    return {"test": {"roc_auc": 0.75, "pr_auc": 0.5, "clips": 72, "interval_95": intervals}}


def cover_scores():
    found = {"map": 0.5, "precision_at_10": 0.25, "mr1": 3.0, "parameters_without_classifier": 1000}
    chance = {"map": 0.1, "precision_at_10": 0.01, "mr1": 10.0}
    return {split: {**found, "random_ranking": chance} for split in ("test", "covers80")}


def test_the_stages_and_the_report(tmp_path, monkeypatch, capsys, store, checkpoint):
    monkeypatch.setattr(
        mask_example, "save_mask_example", lambda weights, _, *rest: save_mask_example(weights, store, *rest)
    )
    commands = {}

    def run(stages, name, arguments):
        commands[name] = arguments
        stages.records[name] = {"seconds": 2.0}
        if "-p" in arguments:
            folder = Path(arguments[arguments.index("-p") + 1])
            folder.mkdir(exist_ok=True)
            scores = cover_scores() if "cover_song" in arguments else tagging_scores()
            (folder / "scores.json").write_text(json.dumps(scores))

    monkeypatch.setattr(Stages, "run", run)
    assert main(["demo", "--full", str(tmp_path)]) == 0
    assert len(commands) == full.STAGES_BEFORE + tagging.STAGES + covers.STAGES
    for name, has_weights in {
        "head pemr_local": True,
        "head pemr_random": False,
        "cover CQT-Net": False,
    }.items():
        assert (str(checkpoint) in commands[name]) == has_weights
    assert "-f" in commands["cover FCN"] and "--feature_cache" not in commands["cover FCN"]
    scored = [arguments for arguments in commands.values() if "evaluate" in arguments]
    assert len(scored) == len(tagging.UPSTREAMS) * len(tagging.HEADS)
    assert all(Path(arguments[arguments.index("-e") + 1]).name == "dev-best.ckpt" for arguments in scored)
    table = (tmp_path / "table.md").read_text()
    for head in ("standardised", "plain"):
        assert (
            f"| `pemr_local` | {head} | 0.750 [0.700, 0.800] | 0.500 [0.400, 0.600] | 72 | 370,560 | 4 |"
            in table
        )
    plain = commands["head pemr_local plain"]
    assert "modelrc.standardise=False" in plain[plain.index("-o") + 1]
    assert "standardise" not in " ".join(commands["head pemr_local"])  # config_demo.yaml says it
    cover_table = (tmp_path / "covers.md").read_text()
    assert "| chance | 0.100 | 0.010 | 10.0 | 0.100 | 0.010 | 10.0 |  |  |" in cover_table
    assert "| CQT-Net | 0.500 | 0.250 | 3.0 | 0.500 | 0.250 | 3.0 | 1,000 | 2 |" in cover_table
    assert "| FCN | 0.500 | 0.250 | 3.0 | 0.500 | 0.250 | 3.0 | 371,560 | 2 |" in cover_table
    shown = capsys.readouterr().out
    assert table in shown and cover_table in shown
    assert f"all stages {2 * len(commands)} s" in shown
    assert (tmp_path / "masks.png").stat().st_size > 10_000


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
