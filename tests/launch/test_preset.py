"""--preset quick is sized to the store and the machine; what the user sets wins."""

import pytest
import torch
from s3prl.pretrain.training.runner_config import RunnerFile
from split_store import split_store

from s3prl_pemr.launch import preset
from s3prl_pemr.launch.override import options
from s3prl_pemr.launch.preset import with_preset
from s3prl_pemr.launch.pretrain import is_resumed
from s3prl_pemr.launch.pretrain_arguments import default_configs, parse_arguments
from s3prl_pemr.settings import parse

PRETRAIN = "config.pretrain_expert.datarc.store"
HEAD = "config.downstream_expert.datarc.store"


class Sized:
    """Stands for a store of so many tracks a split."""

    def __init__(self, train, valid=0):
        self.counts = {"train": train, "valid": valid}

    def __call__(self, path):
        return self

    def __len__(self):
        return sum(self.counts.values())

    def select(self, split):
        return range(self.counts[split])


@pytest.fixture
def of(monkeypatch):
    def of(command, store, device="cpu", task=None, more="", cores=2, **further):
        monkeypatch.setattr(preset, "AudioStore", store)
        monkeypatch.setattr(preset, "_cores", lambda: cores)
        key = PRETRAIN if command == "pretrain" else HEAD
        return dict(options(with_preset(command, "quick", f"{key}=S{more}", device, task, **further)))

    return of


def test_the_paper_is_the_yaml_itself():
    assert (
        with_preset("pretrain", None, "a=1", "cpu") == with_preset("pretrain", "paper", "a=1", "cpu") == "a=1"
    )
    assert with_preset("pretrain", None, None, "cpu") == ""


@pytest.mark.parametrize(("tracks", "batch"), [(30, 16), (7, 7), (20_000, 16)])
def test_pretraining_on_two_cores(of, tracks, batch):
    settings = of("pretrain", Sized(tracks))
    datarc = "config.pretrain_expert.datarc"
    assert settings[f"{datarc}.train_batch_size"] == batch
    assert settings["config.runner.total_steps"] == 2_400 // batch
    assert settings[f"{datarc}.crop_samples"] == 22_400


@pytest.mark.parametrize(("free_gib", "batch"), [(79, 48), (8, 48), (6, 36), (2, 12), (0.1, 4)])
def test_pretraining_on_a_gpu_has_the_papers_batch_where_it_fits(of, monkeypatch, free_gib, batch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (int(free_gib * 2**30), 80 * 2**30))
    settings = of("pretrain", Sized(20_000), device="cuda")
    assert settings["config.pretrain_expert.datarc.train_batch_size"] == batch
    assert "config.pretrain_expert.datarc.crop_samples" not in settings


def test_a_large_store_keeps_so_many_labels_as_there_is_time_for(of):
    small, large = (
        of("downstream", Sized(*size), task="music_tagging") for size in ((300, 60), (18_706, 1_825))
    )
    assert "config.downstream_expert.datarc.label_fraction" not in small
    assert large["config.downstream_expert.datarc.label_fraction"] == pytest.approx(1_200 / 18_706, abs=1e-4)
    assert large["config.runner.evaluate_ratio"] == pytest.approx(300 / 1_825, abs=1e-4)
    more = of("downstream", Sized(18_706, 1_825), task="music_tagging", cores=16)
    assert more["config.downstream_expert.datarc.label_fraction"] > 0.5
    assert (
        of("downstream", Sized(9), task="music_tagging")["config.downstream_expert.datarc.train_batch_size"]
        == 2
    )


def test_what_the_user_sets_wins(of):
    settings = of("pretrain", Sized(30), more=",,config.runner.total_steps=3")
    assert settings["config.runner.total_steps"] == 3


def test_without_a_store_it_is_one_line():
    with pytest.raises(ValueError, match="--preset quick is sized to the store: name it with -o"):
        with_preset("pretrain", "quick", None, "cpu")


def test_the_settings_are_valid(tmp_path):
    store = split_store(tmp_path / "S", ["train"] * 5)
    args = parse_arguments(["-u", "pemr", "-n", "x", "--preset", "quick", "-o", f"{PRETRAIN}={store}"])
    assert not is_resumed(args)
    args.override = with_preset("pretrain", args.preset, args.override, "cpu")
    config, model = default_configs(args)
    file = parse(RunnerFile, config, "quick")
    assert file.runner.total_steps == file.runner.steps(1) > 0
    assert model["augment"]["pitch_probability"] == 0


@pytest.mark.parametrize(("tracks", "batch"), [(30, 12), (14, 4), (20_000, 16)])
def test_a_methods_queue_finds_more_tracks_than_a_batch(of, tracks, batch):
    settings = of("pretrain", Sized(tracks), upstream="moco")
    assert settings["config.pretrain_expert.datarc.train_batch_size"] == batch < tracks


def test_an_encoder_of_one_length_keeps_it_and_the_split_that_is_heard_counts(of):
    assert "config.pretrain_expert.datarc.crop_samples" not in of("pretrain", Sized(30), upstream="clmr")
    heard = of("pretrain", Sized(30, 5), more=",,config.pretrain_expert.datarc.split=valid")
    assert heard["config.pretrain_expert.datarc.train_batch_size"] == 5


def test_an_upstream_that_is_trained_too_takes_fewer_steps(of):
    settings = of("downstream", Sized(300, 60), task="music_tagging", trained=True)
    assert settings["config.runner.total_steps"] == preset.CPU_TRAINED_STEPS
    assert settings["config.runner.eval_step"] == preset.CPU_TRAINED_STEPS // 2
