"""BYOL-A from a file: its width, the Featurizer, messages."""

import pytest
import torch
from s3prl import hub
from s3prl.upstream.byol_a.byol_a import AudioNTT2020
from s3prl.upstream.interfaces import Featurizer


def weights_file(path, width, prefix=""):
    torch.manual_seed(0)
    weights = AudioNTT2020(n_mels=64, d=width).state_dict()
    torch.save({prefix + key: value for key, value in weights.items()}, path)
    return path


@pytest.mark.parametrize(("width", "prefix"), [(512, ""), (1024, "online_encoder.net."), (2048, "")])
def test_the_width_is_that_of_the_weights(tmp_path, width, prefix):
    path = weights_file(tmp_path / "byol.pth", width, prefix)
    expert = hub.byol_a_local(ckpt=str(path), model_config=None, refresh=False)  # as the toolkit calls it
    featurizer = Featurizer(expert, upstream_device="cpu")
    wavs = [torch.randn(40_000), torch.randn(16_000)]
    with torch.no_grad():
        features = featurizer(wavs, expert(wavs))
    assert [tuple(f.shape) for f in features] == [(2, width), (1, width)]
    stored = torch.load(path)
    assert torch.equal(expert.model.fc[3].weight, stored[f"{prefix}fc.3.weight"])


def test_what_does_not_serve_is_refused_in_one_line(tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "foreign.pth")
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    torch.save({"fc.3.weight": torch.zeros(512, 512)}, tmp_path / "part.pth")
    (tmp_path / "text.pth").write_text("hello")
    cases = {
        None: "needs -k CKPT",
        "missing.pth": "is not a file; pass one that nttcslab/byol-a wrote",
        "text.pth": "cannot be read",
        "foreign.pth": "is not of BYOL-A: 0 weights of its last layer",
        "tensor.pth": "is not of BYOL-A: 0 weights of its last layer",
        "part.pth": "is not of BYOL-A: Error.* Missing key",
    }
    for name, message in cases.items():
        with pytest.raises(ValueError, match=message) as error:
            hub.byol_a_local(ckpt=name and str(tmp_path / name))
        assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="-g is not for -u byol_a_local"):
        hub.byol_a_local(ckpt="x", model_config="y")
