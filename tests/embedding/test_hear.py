"""HEAR's API by the rules of hearvalidator 2021.0.2 (validate.py), which itself wants TensorFlow."""

import pytest
import torch
from s3prl import hub

import s3prl_pemr
from s3prl_pemr.embedding import hear
from s3prl_pemr.methods import METHODS, TAGGERS, model_class

OF_THE_TOOLKIT = ["baseline", "spectrogram", "fbank", "fbank_no_cmvn", "mfcc", "mel", "linear"]
WITHOUT_CHECKPOINT = ["", "pemr", "pemr_random", *TAGGERS, *OF_THE_TOOLKIT]


def noise(seconds, sounds=3):
    samples = int(seconds * 16_000)
    return torch.rand(sounds, samples, generator=torch.Generator().manual_seed(0)) * 2 - 1


def check_rules(model):
    assert isinstance(model, torch.nn.Module)
    assert model.sample_rate in (16_000, 22_050, 44_100, 48_000)
    assert type(model.scene_embedding_size) is type(model.timestamp_embedding_size) is int
    for seconds in (2.0, 3.74):
        audio = noise(seconds)
        found, times = hear.get_timestamp_embeddings(audio, model)
        assert found.dtype == times.dtype == torch.float32
        assert found.shape[0] == len(audio) and found.shape[:2] == times.shape
        assert found.shape[2] == model.timestamp_embedding_size
        steps = times.diff(dim=1)
        assert ((steps - steps.mean()).abs() < 1e-3).all() and (steps > 0).all()  # milliseconds
        assert times.min() > 0
        scene = hear.get_scene_embeddings(audio, model)
        assert scene.dtype == torch.float32 and scene.shape == (len(audio), model.scene_embedding_size)
        assert torch.isfinite(scene).all()


@pytest.mark.parametrize("name", WITHOUT_CHECKPOINT)
def test_rules_without_a_checkpoint(name):
    check_rules(hear.load_model(name))


@pytest.mark.parametrize("method", [method for method in METHODS if method != "pemr"])
def test_rules_with_a_pretrained_model(method, tmp_path):
    cls = model_class(method)
    model = cls(cls.Config()).eval()
    model.method = method
    model.save_pretrained(tmp_path / "mine")
    named, found = hear.load_model(f"{method}:{tmp_path / 'mine'}"), hear.load_model(str(tmp_path / "mine"))
    check_rules(named)
    assert type(found.upstream.model) is cls
    audio = noise(1.0, sounds=1)
    torch.testing.assert_close(
        hear.get_scene_embeddings(audio, found), hear.get_scene_embeddings(audio, named)
    )


def test_rules_with_a_model_of_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    layers = {"conv_dim": [16] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
    transformers.HubertModel(transformers.HubertConfig(**sizes, **layers)).save_pretrained(tmp_path)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    check_rules(hear.load_model(f"hf_hubert_custom:{tmp_path}"))


def test_rules_with_byol_a(tmp_path):
    from s3prl.upstream.byol_a.byol_a import AudioNTT2020

    torch.save(AudioNTT2020(n_mels=64, d=512).state_dict(), tmp_path / "byol.pth")
    check_rules(hear.load_model(f"byol_a_local:{tmp_path / 'byol.pth'}"))


def test_the_others_of_a_batch_have_no_say():
    model, audio = hear.load_model(), noise(3.0)
    alone, together = hear.get_scene_embeddings(audio[1:2], model), hear.get_scene_embeddings(audio, model)
    torch.testing.assert_close(alone, together[1:2], rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        expected = hub.pemr()(list(audio))["last_hidden_state"]
    torch.testing.assert_close(hear.get_timestamp_embeddings(audio, model)[0], expected)


def test_a_checkpoint_or_an_upstream_of_ones_own(tmp_path):
    with pytest.raises(ValueError, match="-u nothing: unknown upstream"):
        hear.load_model("nothing")
    with pytest.raises(ValueError, match="-k gone.ckpt: no such file"):
        hear.load_model("pemr:gone.ckpt")
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    with pytest.raises(ValueError, match="text.ckpt"):
        hear.load_model(str(tmp_path / "text.ckpt"))
    s3prl_pemr.load("pemr").save_pretrained(tmp_path / "mine")
    assert hear.load_model(str(tmp_path / "mine")).scene_embedding_size == 512
