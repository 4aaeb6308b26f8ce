"""BYOL-A from a file: its width, its statistics, the Featurizer, messages."""

import pytest
import torch
import yaml
from s3prl import hub
from s3prl.upstream.byol_a.byol_a import AudioNTT2020
from s3prl.upstream.byol_a.expert import UpstreamExpert
from s3prl.upstream.byol_a.hubconf import DEFAULT_CONFIG_PATH
from s3prl.upstream.interfaces import Featurizer
from split_store import split_store

from s3prl_pemr.features.identity import weights_identity
from s3prl_pemr.store import AudioStore


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


def test_the_authors_statistics_are_the_toolkits_and_said_to_be_theirs(tmp_path, caplog):
    path = weights_file(tmp_path / "byol.pth", 512)
    wavs = [0.1 * torch.randn(40_000), 0.1 * torch.randn(16_000)]
    caplog.set_level("INFO")
    ours, theirs = hub.byol_a_local(ckpt=str(path)), UpstreamExpert(str(path), DEFAULT_CONFIG_PATH, 512)
    assert "mean -5.4919, standard deviation 5.0390, BYOL-A's own" in caplog.text
    with torch.no_grad():
        assert torch.equal(ours(wavs)["hidden_states"][0], theirs(wavs)["hidden_states"][0])


def yaml_file(path, **settings):
    path.write_text(yaml.safe_dump(settings))
    return str(path)


def test_the_users_statistics_are_in_force_and_said(tmp_path, caplog):
    path = str(weights_file(tmp_path / "byol.pth", 512))
    caplog.set_level("INFO")
    expert = hub.byol_a_local(ckpt=path, model_config=yaml_file(tmp_path / "g", norm_mean=-7, norm_std=2.5))
    assert "mean -7.0000, standard deviation 2.5000, of " in caplog.text
    wav = 0.1 * torch.randn(16_000)
    heard = []
    expert.model.register_forward_hook(lambda module, inputs, output: heard.append(inputs[0]))
    expert([wav])
    log_mel = (expert.to_melspec(wav) + torch.finfo(torch.float).eps).log()
    torch.testing.assert_close(heard[0][0, 0], (log_mel + 7) / 2.5, rtol=1e-4, atol=1e-5)


def test_statistics_measured_on_a_store_are_those_of_its_training_split(tmp_path, caplog):
    path = str(weights_file(tmp_path / "byol.pth", 512))
    store = split_store(tmp_path / "STORE", ["test", "train", "train"], samples=16_000)  # a second each
    caplog.set_level("INFO")
    expert = hub.byol_a_local(ckpt=path, model_config=yaml_file(tmp_path / "g", store=str(store)))
    assert "measured on 2 s of" in caplog.text
    wavs = torch.stack([torch.from_numpy(AudioStore(store).read(track)) for track in (1, 2)]) / 32_768
    log_mel = (expert.to_melspec(wavs) + torch.finfo(torch.float).eps).log().double()
    expected = [log_mel.mean(), log_mel.std(correction=0)]
    torch.testing.assert_close(expert.norm_statistics, torch.stack(expected), rtol=1e-5, atol=0)
    assert expert.normalizer.mean == pytest.approx(expected[0].item(), rel=1e-5)
    again = hub.byol_a_local(ckpt=path, model_config=str(tmp_path / "g"))
    other = hub.byol_a_local(ckpt=path)
    assert weights_identity(again) == weights_identity(expert) != weights_identity(other)  # the cache's


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"norm_mean": -5}, "norm_mean and norm_std go together"),
        ({"norm_mean": -5, "norm_std": 0}, "norm_std above 0"),
        ({"norm_mean": -5, "norm_std": 1, "store": "S"}, "either norm_mean and norm_std, or store"),
        ({"mean": -5}, "Key 'mean' not in 'NormConfig'"),
        ({"store": "nowhere"}, "nowhere: not an audio store"),
    ],
)
def test_statistics_that_do_not_serve_are_one_line(tmp_path, settings, line):
    path = str(weights_file(tmp_path / "byol.pth", 512))
    with pytest.raises(ValueError, match=line) as error:
        hub.byol_a_local(ckpt=path, model_config=yaml_file(tmp_path / "g", **settings))
    assert "\n" not in str(error.value)


def test_stores_without_statistics_and_files_that_are_none(tmp_path):
    path = str(weights_file(tmp_path / "byol.pth", 512))
    short = split_store(tmp_path / "STORE", ["train"], samples=15_999)
    (tmp_path / "text").write_text("hello")
    cases = {
        yaml_file(tmp_path / "g", store=str(short)): "no track has a whole second",
        str(tmp_path / "text"): "expected keys and values",
        str(tmp_path / "missing"): "missing: No such file",
    }
    for model_config, line in cases.items():
        with pytest.raises(ValueError, match=line):
            hub.byol_a_local(ckpt=path, model_config=model_config)


def test_waveforms_are_checked_and_half_precision_works(tmp_path):
    expert = hub.byol_a_local(ckpt=str(weights_file(tmp_path / "byol.pth", 512)))
    with pytest.raises(ValueError, match="waveform 0 of the batch holds int16"):
        expert([torch.zeros(16_000, dtype=torch.int16)])
    wavs = [0.1 * torch.randn(20_000)]
    with torch.no_grad():
        expected = expert(wavs)["hidden_states"][0]
        found = expert.bfloat16()(wavs)["hidden_states"][0]
    assert found.dtype == torch.bfloat16
    assert (found.float() - expected).norm() <= 0.05 * expected.norm()
