"""Settings and model files that were made to do harm: one line each, and nothing is run."""

import pytest
import torch
from s3prl import hub
from s3prl.upstream.pemr.config import PemrConfig
from s3prl.upstream.pemr.model import PEMR

from s3prl_pemr.__main__ import main
from s3prl_pemr.settings import parse

NARROW = {"transformer": {"layers": 2, "heads": 1}, "encoder_channels": [2, 2, 2, 4]}
TAGS = ["!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path [MARK]]",
        "!!python/name:os.system", "!!python/object/new:os.system [touch MARK]", "!unknown {}"]  # fmt: skip
PRETRAIN = ["pretrain", "-u", "pemr", "--device", "cpu", "-p", "FOLDER/run"]
DOWNSTREAM = ["downstream", "-m", "train", "-u", "fbank_no_cmvn", "-d", "music_tagging", "--device", "cpu"]


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(
    "words",
    [
        [*PRETRAIN, "-c", "FILE"],
        [*PRETRAIN, "-g", "FILE"],
        [*DOWNSTREAM, "-p", "FOLDER/run", "-c", "FILE"],
        ["compare", "FILE", "--out", "FOLDER/run"],
    ],
    ids=" ".join,
)
def test_yaml_with_tags(tmp_path, monkeypatch, words, tag):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    mark, path = tmp_path / "mark", tmp_path / "x.yaml"
    path.write_text(f"runner: {tag.replace('MARK', str(mark))}\n")
    words = [word.replace("FOLDER", str(tmp_path)).replace("FILE", str(path)) for word in words]
    with pytest.raises(SystemExit, match="^error: .*x.yaml") as caught:
        main(words)
    assert "\n" not in str(caught.value)
    assert not mark.exists()


def test_yaml_with_tags_of_an_upstream(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(f"model: {TAGS[0].replace('MARK', str(tmp_path / 'mark'))}\n")
    with pytest.raises(ValueError, match="-g .*x.yaml: not yaml"):
        hub.pemr_random(model_config=str(path))
    assert not (tmp_path / "mark").exists()


def without(states):
    states["Upstream"].pop(next(iter(states["Upstream"])))


def with_another(states):
    states["Upstream"]["back.door"] = torch.ones(1)


def with_nan(states):
    states["Upstream"]["encoder.blocks.0.conv.weight"].flatten()[3] = float("nan")


def of_huge_size(states):
    states["Upstream_Config"] = {"model": NARROW | {"encoder_channels": [10**9] * 4}}


def of_many_layers(states):
    states["Upstream_Config"] = {"model": NARROW | {"transformer": {"layers": 10**9, "heads": 1}}}


def of_text(states):
    states["Upstream"] = {name: "text" for name in states["Upstream"]}


def of_no_dict(states):
    states["Upstream_Config"] = [1]


def of_other_names(states):
    states["Upstream"] = {number: value for number, value in enumerate(states["Upstream"].values())}


WRONG = [without, with_another, with_nan, of_huge_size, of_many_layers, of_text, of_no_dict, of_other_names]


@pytest.mark.parametrize("spoil", WRONG)
def test_a_model_file_that_is_wrong(tmp_path, spoil):
    model = PEMR(parse(PemrConfig, NARROW, "test"))
    states = {"Method": "pemr", "Upstream_Config": {"model": NARROW}, "Upstream": dict(model.state_dict())}
    spoil(states)
    torch.save(states, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match="x.ckpt") as caught:
        hub.pemr(ckpt=str(tmp_path / "x.ckpt"))
    assert "\n" not in str(caught.value)
