"""Models as folders of the Hugging Face hub's form, offline."""

import json

import pytest
import torch
from s3prl import hub
from s3prl.pretrain.training.initial_weights import take_initial_weights
from s3prl.upstream.fcn4.model import LogMelFCN
from s3prl.upstream.pemr.model import PEMR
from s3prl.upstream.taggers.expert import NETWORKS
from safetensors.torch import load_file, save_file

import s3prl_pemr
from s3prl_pemr.methods import METHODS, TAGGERS, model_class, shared_classes

FILES = [
    "README.md",
    "config.json",
    "expert.py",
    "model.safetensors",
    "preprocessor_config.json",
    "requirements.txt",
]
NARROW = {"frontend": {"n_mels": 32}, "encoder_channels": [4, 4, 8, 8]}
WAV = torch.randn(60_000, generator=torch.Generator().manual_seed(0))


def checkpoint_of(method, path):
    """A checkpoint as run_pretrain.py leaves it, of a narrow model with random weights."""
    from s3prl_pemr.settings import parse

    settings = {} if method == "clmr" else NARROW
    if method in ("pemr", "pemr_pos"):
        settings = settings | {"mask_ratio": 0.2, "transformer": {"layers": 2, "heads": 2}}
    torch.manual_seed(len(method))
    model = model_class(method)(parse(model_class(method).Config, settings, "here"))
    states = {
        "Method": method, "Upstream_Config": {"model": settings}, "Upstream": model.state_dict(), "Step": 7
    }  # fmt: skip
    torch.save(states, path)
    return path


def same_model(one, other):
    assert type(one) is type(other) and one.config == other.config
    assert not other.training
    assert (one.method, one.weights_card) == (other.method, other.weights_card)
    with torch.no_grad():
        frames, again = (model(WAV[None], torch.tensor([len(WAV)])) for model in (one, other))
    torch.testing.assert_close(frames, again, rtol=0, atol=0)


@pytest.mark.parametrize("method", METHODS)
def test_a_folder_gives_each_methods_model_back(method, tmp_path):
    model = s3prl_pemr.load(checkpoint_of(method, tmp_path / "x.ckpt"))
    assert model.method == method
    folder = tmp_path / "shared"
    model.save_pretrained(folder)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    same_model(model, s3prl_pemr.load(folder))
    same_model(model, model_class(method).from_pretrained(folder))
    other = model_class(method)(model.config)  # --init FOLDER
    take_initial_weights(other, folder)
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)
    expert = getattr(hub, method)(ckpt=str(folder))  # -u METHOD -k FOLDER
    same_model(model, expert.model)
    other = "byol" if method != "byol" else "simclr"
    if model_class(other) is model_class(method):
        with pytest.raises(ValueError, match=f"shared is of -u {method}, not of -u {other}"):
            getattr(hub, other)(ckpt=str(folder))


@pytest.mark.parametrize("name", TAGGERS)
def test_a_folder_gives_each_tagger_back(name, tmp_path):
    torch.manual_seed(0)
    expert = hub.cnn_1d() if name == "cnn_1d" else getattr(hub, name)()
    states = {"Args": _args(name), "Upstream": expert.state_dict()}  # as run_downstream.py -u NAME -f
    torch.save(states, tmp_path / "x.ckpt")
    model = s3prl_pemr.load(tmp_path / "x.ckpt")
    assert type(model) is shared_classes()[TAGGERS[name].split(":")[1]] is type(NETWORKS[name]())
    model.save_pretrained(tmp_path / "shared")
    same_model(model, s3prl_pemr.load(tmp_path / "shared"))
    same_model(model, getattr(hub, name)(ckpt=str(tmp_path / "shared")).model)


def _args(name):
    from argparse import Namespace

    return Namespace(upstream=name)


def test_the_card_says_what_it_is_and_how_it_is_used(tmp_path):
    s3prl_pemr.load(checkpoint_of("simclr", tmp_path / "x.ckpt")).save_pretrained(tmp_path / "a")
    text = (tmp_path / "a" / "README.md").read_text()
    assert text.startswith("---\n") and "library_name: s3prl-pemr" in text and "\n# simclr\n" in text
    assert "A LogMelFCN" in text and "frames of 8 values, one per 16,384 samples (1.024 s)" in text
    assert '"steps": 7' in text
    s3prl_pemr.load("pemr").save_pretrained(tmp_path / "b")
    assert '"licence": "Apache-2.0' in (tmp_path / "b" / "README.md").read_text()
    (tmp_path / "b" / "README.md").write_text("mine")
    s3prl_pemr.load("pemr").save_pretrained(tmp_path / "b")
    assert (tmp_path / "b" / "README.md").read_text() == "mine"


def test_the_shipped_weights_can_be_shared(tmp_path):
    model = s3prl_pemr.load("pemr")
    model.save_pretrained(tmp_path)
    read = s3prl_pemr.load(tmp_path)
    assert type(read) is PEMR and read.config == model.config
    for name, value in model.state_dict().items():
        assert torch.equal(read.state_dict()[name], value)


def test_a_folder_without_the_newer_keys_loads(tmp_path):
    model = LogMelFCN(LogMelFCN.Config()).eval()
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({key: config[key] for key in ("model", "config")}))
    same_model(model, s3prl_pemr.load(tmp_path))


def test_what_is_no_such_folder_is_one_line(tmp_path):
    model = LogMelFCN(LogMelFCN.Config())
    model.save_pretrained(tmp_path / "fcn")
    with pytest.raises(ValueError, match="fcn: a LogMelFCN, not a PEMR"):
        PEMR.from_pretrained(tmp_path / "fcn")
    weights = load_file(tmp_path / "fcn" / "model.safetensors")
    save_file(weights | {"more": torch.zeros(1)}, tmp_path / "fcn" / "model.safetensors")
    with pytest.raises(ValueError, match="more") as caught:
        LogMelFCN.from_pretrained(tmp_path / "fcn")
    assert "\n" not in str(caught.value)
    config = json.loads((tmp_path / "fcn" / "config.json").read_text())
    config["config"]["encoder_channels"][0] = 10**9
    (tmp_path / "fcn" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="encoder_channels 1000000000 is more than any size of its weights"):
        LogMelFCN.from_pretrained(tmp_path / "fcn")
    config["config"]["encoder_channels"][0] = 64
    config["config"]["encoder_chanels"] = [1]
    (tmp_path / "fcn" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="encoder_chanels"):
        LogMelFCN.from_pretrained(tmp_path / "fcn")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: no model that save_pretrained wrote"):
        PEMR.from_pretrained(tmp_path / "empty")
    with pytest.raises(ValueError, match="empty: no model of PEMR, LogMelFCN"):
        s3prl_pemr.load(tmp_path / "empty")
