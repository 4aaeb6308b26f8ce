"""Which tracks pretraining hears."""

from importlib import resources
from pathlib import Path

import pytest
import yaml
from s3prl.pretrain.crops.dataset import DataConfig
from s3prl.pretrain.crops.heard import heard_line, heard_record, heard_tracks
from split_store import split_store

from s3prl_pemr.launch.pretrain_arguments import (
    apply_override,
    default_configs,
    parse_arguments,
    saved_config,
)
from s3prl_pemr.settings import parse
from s3prl_pemr.store import AudioStore, StoreError

SPLITS = ["test", "train", "", "valid", "train", "test", "test"]
MTAT = ["train"] * 18_706 + ["valid"] * 1_825 + ["test"] * 5_329


@pytest.fixture
def store(tmp_path):
    return AudioStore(split_store(tmp_path / "STORE", SPLITS, ("tones", "own")))


@pytest.mark.parametrize(
    ("split", "tracks"),
    [
        ("auto", [1, 4]),
        ("train", [1, 4]),
        ("test", [0, 5, 6]),
        ("all", [0, 1, 2, 3, 4, 5, 6]),
        ("", [0, 1, 2, 3, 4, 5, 6]),  # of 0.1.0
    ],
)
def test_the_tracks_that_a_split_names(store, split, tracks):
    chosen = heard_tracks(store, split)
    assert chosen.tolist() == tracks
    assert chosen.dtype == "int64"


@pytest.mark.parametrize("splits", [["", "", ""], ["test", "valid", "training"]])
def test_auto_takes_all_of_a_store_without_a_training_split(tmp_path, splits):
    store = AudioStore(split_store(tmp_path / "STORE", splits))
    assert heard_tracks(store, "auto").tolist() == [0, 1, 2]
    with pytest.raises(StoreError, match="no track is in the split 'train'"):
        heard_tracks(store, "train")


def test_the_line_by_hand(store):
    assert heard_line(store, heard_tracks(store, "auto")) == (
        f"{store.path}: 2 of 7 tracks are heard (train 2), 5 left out (no split 1, test 3, valid 1)"
    )
    assert heard_line(store, heard_tracks(store, "all")) == (
        f"{store.path}: 7 of 7 tracks are heard (no split 1, test 3, train 2, valid 1)"
    )


def test_the_record_by_hand(store, tmp_path):
    record = {"data_set": "tones", "data_set_split": "own", "fingerprint": store.fingerprint}
    assert heard_record(store, heard_tracks(store, "auto")) == {**record, "splits": {"train": 2}}
    every = heard_record(store, heard_tracks(store, "all"))["splits"]
    assert every == {"": 1, "test": 3, "train": 2, "valid": 1}
    unnamed = AudioStore(split_store(tmp_path / "UNNAMED", SPLITS))
    assert heard_record(unnamed, heard_tracks(unnamed, "auto"))["data_set"] is None


def test_a_store_of_magnatagatunes_size_hears_its_training_clips(tmp_path):
    store = AudioStore(split_store(tmp_path / "STORE", MTAT, samples=1))
    assert len(heard_tracks(store, parse(DataConfig, {"store": "STORE"}, "datarc").split)) == 18_706
    assert len(heard_tracks(store, "")) == 25_860


@pytest.mark.parametrize("name", ["config_runner", "config_toolkit"])
def test_the_shipped_settings_say_so(name):
    shipped = Path(str(resources.files("s3prl.pretrain.pemr"))) / f"{name}.yaml"
    assert yaml.safe_load(shipped.read_text())["pretrain_expert"]["datarc"]["split"] == "auto"


def test_all_is_asked_for_with_o():
    overridden = "config.pretrain_expert.datarc.store=STORE,,config.pretrain_expert.datarc.split=all"
    config, _ = default_configs(parse_arguments(["-u", "pemr", "-n", "gtzan", "-o", overridden]))
    assert parse(DataConfig, config["pretrain_expert"]["datarc"], "datarc").split == "all"


@pytest.mark.parametrize(
    ("text", "value"), [("all", "all"), ("'all'", "all"), ("True", True), ("None", None), ("[1, 2]", [1, 2])]
)
def test_a_word_of_o_is_a_word(text, value):
    assert apply_override(f"config.a={text}", {}, {})[0] == {"a": value}


@pytest.mark.parametrize(
    ("keys", "split"), [({"Data": {}}, ""), ({"Data": {}, "Heard": {}}, None), ({}, None)]
)
def test_a_checkpoint_of_0_1_0_that_names_no_split_heard_all(keys, split):
    states = {**keys, "Config": {"pretrain_expert": {"datarc": {"store": "STORE"}}}}
    assert saved_config(states)["pretrain_expert"]["datarc"].get("split") == split
    named = {**keys, "Config": {"pretrain_expert": {"datarc": {"split": "valid"}}}}
    assert saved_config(named)["pretrain_expert"]["datarc"] == {"split": "valid"}
