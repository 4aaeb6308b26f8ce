"""The command lines of a cell, read by the parsers they are for."""

from argparse import Namespace

import pytest
import torch
from s3prl.pretrain.crops.dataset import DataConfig
from s3prl.pretrain.training.runner_config import RunnerFile

from s3prl_pemr.comparison import cells
from s3prl_pemr.comparison.cells import FLOOR, Cell
from s3prl_pemr.comparison.stages import Stages
from s3prl_pemr.launch.downstream_arguments import cache_arguments, complete_arguments
from s3prl_pemr.launch.pretrain_arguments import default_configs, parse_arguments
from s3prl_pemr.methods import METHODS
from s3prl_pemr.report.scores_table import Row
from s3prl_pemr.settings import parse


@pytest.fixture
def commands_of(monkeypatch, tmp_path):
    """What the stages of a cell would run, by name."""

    def commands(method, seed, steps):
        ran = {}

        def run(stages, name, arguments):
            ran[name] = arguments
            if name == "pretrain":
                (tmp_path / f"{method}-seed{seed}-steps{steps}" / "pretrain").mkdir()
                (cell.pretrained / f"states-{steps}.ckpt").touch()

        cell = Cell(tmp_path, method, seed, steps)
        monkeypatch.setattr(Stages, "run", run)
        monkeypatch.setattr(cells, "step_seconds", lambda expdir: [3.0, 2.0])
        monkeypatch.setattr(cells, "parameter_count", lambda *_: 1000)
        monkeypatch.setattr(cells, "read_row", lambda *values: Row(values[0], {}, {}, 72, *values[3:]))
        row = cell.run("STORE", "FEATURES")
        return ran, row, cell

    return commands


@pytest.mark.parametrize("method", METHODS)
def test_pretraining_takes_the_demo_config_for_so_many_steps(commands_of, method):
    commands, row, cell = commands_of(method, 7, 30)
    assert len(commands) == 3  # each start of Python costs seconds
    assert commands["pretrain"][:3] == ["-m", "s3prl_pemr", "pretrain"]
    args = parse_arguments(commands["pretrain"][3:])
    assert (args.upstream, args.expdir, args.seed, args.auto_resume) == (
        method,
        str(cell.pretrained),
        7,
        True,
    )
    config, _ = default_configs(args)
    file = parse(RunnerFile, config, "cell")
    assert file.runner.steps(steps_per_epoch=6) == 30
    assert file.runner.log_step == 1
    data = parse(DataConfig, file.pretrain_expert.datarc, "cell")
    assert (data.store, data.split, data.seed, data.train_batch_size) == ("STORE", "train", 7, 32)
    assert data.crop_samples == (59_049 if method == "clmr" else 22_400)
    assert row.seconds == 5.0


@pytest.mark.parametrize(("method", "steps"), [("byol", 30), (FLOOR, 0)])
def test_the_head_is_on_the_checkpoint_or_on_random_weights(commands_of, method, steps):
    commands, row, cell = commands_of(method, 7, steps)
    assert ("pretrain" in commands) == (steps > 0)
    argv, args = complete_arguments(commands["head"][3:])
    assert args.upstream == row.upstream == (FLOOR if method == FLOOR else "byol_local")
    assert (args.downstream, args.expdir) == ("music_tagging", str(cell.folder / "head"))
    assert args.config.endswith("music_tagging/config_demo.yaml")
    assert argv[argv.index("--seed") + 1] == "7"
    assert cache_arguments(args).folder == "FEATURES"
    assert ("-k" in argv) == (steps > 0)
    if steps:
        assert argv[argv.index("-k") + 1] == str(cell.pretrained / "states-30.ckpt")
    (cell.folder / "head").mkdir()
    torch.save({"Args": Namespace()}, cell.folder / "head" / "dev-best.ckpt")
    argv, args = complete_arguments(commands["scores"][3:])
    assert args.past_exp == str(cell.folder / "head" / "dev-best.ckpt")
    assert argv[argv.index("-t") + 1] == "test"
    assert cache_arguments(args).folder == "FEATURES"
    assert row.seconds == (5.0 if steps else 0.0)
