"""Models as folders of the Hugging Face hub's form, offline."""

import json

import pytest
import torch
from s3prl.upstream.baselines.model import WaveformSampleCNN
from s3prl.upstream.fcn4.model import LogMelFCN
from s3prl.upstream.pemr.model import PEMR
from safetensors.torch import load_file, save_file

import s3prl_pemr


@pytest.mark.parametrize("model_class", [PEMR, LogMelFCN, WaveformSampleCNN])
def test_a_folder_gives_the_model_back(model_class, tmp_path):
    torch.manual_seed(0)
    settings = {"mask_ratio": 0.2} if model_class is PEMR else {}
    model = model_class(model_class.Config(**settings)).eval()
    model.save_pretrained(tmp_path / "shared")
    assert {path.name for path in (tmp_path / "shared").iterdir()} == {
        "config.json", "model.safetensors", "README.md"
    }  # fmt: skip
    assert "s3prl-pemr" in (tmp_path / "shared" / "README.md").read_text()
    read = model_class.from_pretrained(tmp_path / "shared")
    assert read.config == model.config
    assert not read.training
    wavs, lengths = torch.randn(1, 60_000), torch.tensor([60_000])
    with torch.no_grad():
        torch.testing.assert_close(read(wavs, lengths), model(wavs, lengths), rtol=0, atol=0)


def test_the_shipped_weights_can_be_shared(tmp_path):
    model = s3prl_pemr.load("pemr")
    model.save_pretrained(tmp_path)
    read = s3prl_pemr.load(tmp_path)
    assert type(read) is PEMR and read.config == model.config
    for name, value in model.state_dict().items():
        assert torch.equal(read.state_dict()[name], value)


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
    config["config"]["encoder_chanels"] = [1]
    (tmp_path / "fcn" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="encoder_chanels"):
        LogMelFCN.from_pretrained(tmp_path / "fcn")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: no model that save_pretrained wrote"):
        PEMR.from_pretrained(tmp_path / "empty")
    with pytest.raises(ValueError, match="empty: no model of PEMR, LogMelFCN"):
        s3prl_pemr.load(tmp_path / "empty")
