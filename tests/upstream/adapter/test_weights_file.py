"""Weights as they ship: written, read wherever a checkpoint may stand, refused where they are damaged."""

import json

import pytest
import torch
from s3prl import hub
from s3prl.upstream.adapter.checkpoint import read_checkpoint, shipped_weights
from s3prl.upstream.adapter.weights_file import read_weights, write_weights
from s3prl.upstream.pemr.config import PemrConfig
from s3prl.upstream.pemr.model import PEMR

import s3prl_pemr
from s3prl_pemr.settings import parse

NARROW = {"transformer": {"layers": 2, "heads": 1, "frame_scale": "1"}, "encoder_channels": [2, 2, 2, 4]}
FILES = {"x.safetensors": ("frontend", "encoder"), "y.safetensors": ("transformer", "predictor", "projector")}


@pytest.fixture
def written(tmp_path):
    torch.manual_seed(3)
    model = PEMR(parse(PemrConfig, NARROW, "test"))
    states = {"Method": "pemr", "Upstream_Config": {"model": NARROW}, "Upstream": model.state_dict()}
    states["Heard"] = {"data_set": "some set", "splits": {"train": 3}}
    write_weights(tmp_path / "x.json", states, FILES, {"licence": "CC0", "title": "é"})
    return tmp_path / "x.json", states


def test_they_stand_where_a_checkpoint_may(written):
    path, states = written
    found = read_checkpoint(path)
    assert (found["Method"], found["Upstream_Config"]) == ("pemr", {"model": NARROW})
    assert found["Heard"] == states["Heard"]
    assert found["Card"] == {"licence": "CC0", "title": "é"}
    for name, value in states["Upstream"].items():
        kept = found["Upstream"][name]
        assert kept.dtype == value.dtype
        # float16 keeps eleven bits of a matrix; vectors and counters are kept whole
        torch.testing.assert_close(kept, value, rtol=2**-11 if value.dim() > 1 else 0, atol=1e-7)
    upstream = hub.pemr(ckpt=str(path))
    assert upstream.model.config.encoder_channels == NARROW["encoder_channels"]
    with pytest.raises(ValueError, match="x.json was not written by run_pretrain.py: no Optimizer"):
        read_checkpoint(path, needed=("Optimizer",))


def _without_a_file(folder):
    (folder / "y.safetensors").unlink()


def _with_another_file(folder):
    content = bytearray((folder / "x.safetensors").read_bytes())
    content[-3] ^= 1
    (folder / "x.safetensors").write_bytes(content)


def _with_no_safetensors(folder):
    content = json.loads((folder / "x.json").read_text())
    (folder / "x.safetensors").write_bytes(b"")
    content["files"] = {"x.safetensors": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    (folder / "x.json").write_text(json.dumps(content))


def _of_another_format(folder):
    content = json.loads((folder / "x.json").read_text())
    (folder / "x.json").write_text(json.dumps({**content, "format": 9}))


def _another_json(folder):
    (folder / "x.json").write_text('{"scores": 3}')


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_without_a_file, "y.safetensors: No such file or directory; it belongs to the weights"),
        (_with_another_file, "x.safetensors: damaged, or of other weights"),
        (_with_no_safetensors, "x.safetensors: no safetensors file"),
        (_of_another_format, "of format 9, this version of s3prl-pemr reads 1"),
        (_another_json, "x.json: does not describe weights of s3prl-pemr"),
    ],
)
def test_what_is_wrong_is_one_line(written, damage, message):
    path, _ = written
    damage(path.parent)
    with pytest.raises(ValueError, match=message) as caught:
        read_checkpoint(path)
    assert "\n" not in str(caught.value)


def test_a_file_of_a_json_is_looked_for_beside_it_alone(written):
    path, _ = written
    content = json.loads(path.read_text())
    content["files"] = {f"../{name}": sha256 for name, sha256 in content["files"].items()}
    path.write_text(json.dumps(content))
    assert read_weights(path)["Method"] == "pemr"


def test_each_part_is_in_one_file(written, tmp_path):
    _, states = written
    with pytest.raises(ValueError, match="not each part of the model once"):
        write_weights(tmp_path / "z.json", states, {"z.safetensors": ("encoder",)}, {})


def test_the_weights_that_ship():
    path = shipped_weights("pemr")
    files = [path, *(path.with_name(name) for name in json.loads(path.read_text())["files"])]
    assert sum(file.stat().st_size for file in files) < 8_000_000
    model = s3prl_pemr.load("pemr")
    assert type(model) is PEMR and not model.training
    assert sum(parameter.numel() for parameter in model.encoder.parameters()) == 370_560
    upstream = hub.pemr()
    wavs = [0.1 * torch.randn(40_000, generator=torch.Generator().manual_seed(0))]
    with torch.no_grad():
        features = upstream(wavs)["last_hidden_state"]
        assert torch.equal(features, hub.pemr(ckpt="pemr")(wavs)["last_hidden_state"])
        assert not torch.allclose(features, hub.pemr_random()(wavs)["last_hidden_state"], atol=0.1)
    card = read_checkpoint("pemr")["Card"]
    assert {"data", "licence", "steps", "seed", "scores"} <= set(card)


def test_load_takes_a_name_a_checkpoint_or_a_json(written, tmp_path):
    path, states = written
    torch.save(states, tmp_path / "x.ckpt")
    for weights in (path, tmp_path / "x.ckpt"):
        assert s3prl_pemr.load(weights).config.encoder_channels == NARROW["encoder_channels"]
    torch.save({**states, "Method": "none"}, tmp_path / "none.ckpt")
    with pytest.raises(ValueError, match=r"none.ckpt: of -u none, which this version does not know"):
        s3prl_pemr.load(tmp_path / "none.ckpt")
    with pytest.raises(ValueError, match="checkpoint pemrr is not a file"):
        s3prl_pemr.load("pemrr")
