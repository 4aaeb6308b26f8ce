"""The demo's commands, without the minutes they take."""

import json

import numpy as np
import pytest
import soundfile
import torch
import yaml
from s3prl.downstream.music_tagging.config import TaggingConfig
from s3prl.pretrain.pemr.dataset import DataConfig
from s3prl.pretrain.pemr.runner_config import RunnerFile
from s3prl.upstream.pemr.config import PemrConfig, parse
from s3prl.upstream.pemr.model import PEMR

from s3prl_pemr.comparison import demo
from s3prl_pemr.comparison.__main__ import main
from s3prl_pemr.comparison.mask_example import save_mask_example
from s3prl_pemr.prepare.__main__ import main as prepare
from s3prl_pemr.registration import PLUGIN_ROOT


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


def test_the_stages_and_the_report(tmp_path, monkeypatch, capsys, store, checkpoint):
    monkeypatch.setattr(
        demo, "save_mask_example", lambda weights, _, *rest: save_mask_example(weights, store, *rest)
    )
    commands = {}

    def run(stages, name, arguments):
        commands[name] = arguments
        stages.records[name] = {"seconds": 2.0}
        if name.startswith("scores"):
            folder = tmp_path / name.split()[1]
            folder.mkdir()
            scores = {"roc_auc": 0.75, "pr_auc": 0.5, "clips": 72}
            scores["interval_95"] = {"roc_auc": [0.7, 0.8], "pr_auc": [0.4, 0.6]}
            scores = {"test": scores}
            (folder / "scores.json").write_text(json.dumps(scores))

    monkeypatch.setattr(demo.Stages, "run", run)
    assert main(["demo", str(tmp_path)]) == 0
    assert len(commands) == demo.STAGES_BEFORE + demo.STAGES_EACH * len(demo.UPSTREAMS)
    head = commands["head pemr_local"]
    assert head[head.index("-k") + 1] == str(checkpoint)
    assert "-k" not in commands["head pemr_random"]
    assert all("dev-best.ckpt" in commands[f"scores {name}"][4] for name in demo.UPSTREAMS)
    table = (tmp_path / "table.md").read_text()
    assert table in capsys.readouterr().out
    assert "| `pemr_local` | 0.750 [0.700, 0.800] | 0.500 [0.400, 0.600] | 72 | 370,560 | 4 |" in table
    assert "all stages 22 s" in table
    assert (tmp_path / "masks.png").stat().st_size > 10_000


def test_a_clip_too_short_for_the_picture_is_named(store, checkpoint, tmp_path):
    with pytest.raises(ValueError, match=r"clip.wav is shorter than two crops of 30000 samples"):
        save_mask_example(checkpoint, store, "test", 30_000, tmp_path / "masks.png")


def test_outside_a_checkout_the_demo_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "PLUGIN_ROOT", tmp_path)
    with pytest.raises(SystemExit, match=r"the demo runs in a checkout of the repository"):
        main(["demo", str(tmp_path / "demo")])
