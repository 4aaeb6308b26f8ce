"""MERT's folder: the plain HuBERT's numbers, frames of 40 ms, what is refused."""

import pytest
import soundfile
import torch
import torchaudio
from s3prl import hub
from s3prl.upstream.interfaces import Featurizer
from s3prl.upstream.music_models.mert import average_frames, normalised
from tiny_models import change_settings, mert_folder
from transformers import Wav2Vec2FeatureExtractor
from transformers import __version__ as transformers_version

import s3prl_pemr
from s3prl_pemr.audio import read_audio


def music(samples, seed=0):
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed)) * 0.1


def plain_layers(model, folder, wav):
    """As MERT's model card has it: resample, feature extractor, all hidden states, at 75 Hz."""
    heard = torchaudio.functional.resample(wav, 16_000, 24_000)
    inputs = Wav2Vec2FeatureExtractor.from_pretrained(folder)(
        heard.numpy(), sampling_rate=24_000, return_tensors="pt"
    )
    with torch.no_grad():
        found = model(inputs.input_values, output_hidden_states=True)
    return [layer[0] for layer in (*found.hidden_states[:-1], found.last_hidden_state)]


@pytest.mark.parametrize("stable", [False, True])  # as the 95M and the 330M model are
def test_layers_are_the_plain_hubert_s_averaged_over_three_frames(tmp_path, stable):
    plain = mert_folder(tmp_path, stable)
    expert = hub.mert_local(ckpt=str(tmp_path), model_config=None, refresh=False)
    wav = music(16_000)
    with torch.no_grad():
        found = expert([wav, music(9_000)])
    layers = plain_layers(plain, tmp_path, wav)
    assert len(found["hidden_states"]) == len(layers) == 4
    assert layers[0].shape == (74, 16)
    for ours, theirs in zip(found["hidden_states"], layers, strict=True):
        thirds = torch.stack([part.mean(dim=0) for part in theirs.split(3)])
        torch.testing.assert_close(ours[0], thirds, rtol=1e-4, atol=1e-5)
    assert torch.equal(found["last_hidden_state"], found["hidden_states"][-1])


def test_frames_are_averaged_and_clips_normalised_as_by_hand():
    frames = torch.tensor([[[1.0], [2.0], [6.0], [4.0], [8.0]]])
    assert average_frames(frames).flatten().tolist() == [3.0, 6.0]
    wavs = torch.tensor([[1.0, 3.0], [5.0, 5.0]])
    torch.testing.assert_close(normalised(wavs), torch.tensor([[-1.0, 1.0], [0.0, 0.0]]))


@pytest.mark.parametrize("samples", [1, 640, 10_000, 16_000, 16_001, 480_001])
def test_a_clip_has_a_frame_for_every_640_samples_begun(tmp_path, samples):
    mert_folder(tmp_path)
    expert = hub.mert_local(ckpt=str(tmp_path))
    assert expert.get_downsample_rates("hidden_states") == 640
    with torch.no_grad():
        found = expert([music(samples)])["last_hidden_state"]
    assert found.shape == (1, -(-samples // 640), 16)
    assert torch.isfinite(found).all()


def test_what_a_clip_is_batched_with_changes_nothing_and_the_featurizer_takes_it(tmp_path):
    mert_folder(tmp_path)
    expert = hub.mert_local(ckpt=str(tmp_path))
    wavs = [music(16_000), music(25_000, 1), music(16_000, 2)]
    featurizer = Featurizer(expert, upstream_device="cpu")
    with torch.no_grad():
        together = featurizer(wavs, expert(wavs))
        alone = [featurizer([wav], expert([wav]))[0] for wav in wavs]
    assert [len(frames) for frames in together] == [25, 39, 25]
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_old_names_in_a_bin_file_are_the_same_weights(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    weights = mert_folder(new).state_dict()
    mert_folder(old, seed=1)
    (old / "model.safetensors").unlink()
    names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    for name, former in names.items():
        weights = {key.replace(name, former): value for key, value in weights.items()}
    assert sum(key.endswith(("weight_g", "weight_v")) for key in weights) == 2
    torch.save(weights, old / "pytorch_model.bin")
    wav = music(8_000)
    with torch.no_grad():
        one, other = (hub.mert_local(ckpt=str(folder))([wav])["last_hidden_state"] for folder in (new, old))
    assert torch.equal(one, other)


class _Harm:
    def __reduce__(self):
        return open, ("harm-was-done", "w")


def test_what_is_no_such_model_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mert"

    def refused(match, ckpt=folder):
        with pytest.raises(ValueError, match=match) as error:
            hub.mert_local(ckpt=ckpt and str(ckpt))
        assert "\n" not in str(error.value)

    refused("needs -k FOLDER", None)
    refused("no such folder", folder)
    mert_folder(folder)
    for changes, match in (
        ({"feature_extractor_cqt": True}, "feature_extractor_cqt is True, not False"),
        ({"deepnorm": True}, "deepnorm is True, not False"),
        ({"sample_rate": 16_000}, "sample_rate is 16000.*hf_hubert_custom is for 16 kHz"),
        ({"conv_stride": [5, 2, 2, 2, 2, 2, 1]}, "frames of 160 samples"),
        ({"num_hidden_layers": 4}, "not the weights of a HubertModel: 16 are missing"),
        ({"hidden_size": 20}, "cannot be loaded"),
    ):
        kept = (folder / "config.json").read_text()
        change_settings(folder, **changes)
        refused(match)
        (folder / "config.json").write_text(kept)
    (folder / "model.safetensors").rename(folder / "kept")
    refused("cannot be loaded")
    torch.save({"weight": _Harm()}, folder / "pytorch_model.bin")
    of_5 = transformers_version >= "5"
    refused(f"cannot be loaded: {'Weights only load failed' if of_5 else 'Unable to load weights'}")
    assert not (tmp_path / "harm-was-done").exists()
    change_settings(folder, "preprocessor_config.json", sampling_rate=16_000)
    refused("sampling_rate is 16000")
    (folder / "preprocessor_config.json").unlink()
    refused("preprocessor_config.json: No such file or directory; it belongs to the model, copy it too")
    (folder / "config.json").write_text("{")
    refused("config.json: not json")


def test_half_precision_and_training_hear_all_frames(tmp_path):
    mert_folder(tmp_path)
    expert = hub.mert_local(ckpt=str(tmp_path))
    wav = music(16_000)
    with torch.no_grad():
        expected = expert([wav])["last_hidden_state"]
    expert.train()
    for module in expert.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for part in expert.model.network.encoder.layers:
        part.attention.dropout = 0.0
    found = expert([wav])["last_hidden_state"]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)  # no frame is masked, no layer left out
    found.sum().backward()
    assert expert.model.network.encoder.layers[0].attention.q_proj.weight.grad.abs().sum() > 0
    with torch.no_grad():
        half = expert.eval().bfloat16()([wav])["last_hidden_state"]
    assert half.dtype == torch.bfloat16
    assert expert.model.resample.kernel.dtype == torch.float32
    assert (half.float() - expected).norm() <= 0.1 * expected.norm()


def test_embed_hears_it_whole_and_a_layer_of_it(tmp_path):
    mert_folder(tmp_path / "mert")
    soundfile.write(tmp_path / "a.wav", music(40_000).numpy(), 16_000)
    wav = torch.from_numpy(read_audio(tmp_path / "a.wav"))
    with torch.no_grad():
        expected = hub.mert_local(ckpt=str(tmp_path / "mert"))([wav])["hidden_states"]
    for layer, frames in ((None, expected[-1]), (1, expected[1])):
        (found,) = s3prl_pemr.embed([tmp_path / "a.wav"], "mert_local", str(tmp_path / "mert"), layer=layer)
        torch.testing.assert_close(torch.from_numpy(found.embedding), frames[0, :62], rtol=1e-4, atol=1e-5)
        assert found.seconds[1] == pytest.approx(0.04)


def test_the_toolkit_s_hubert_says_that_it_would_take_16_khz_for_24(tmp_path, caplog):
    mert_folder(tmp_path)
    # Without its extractor's file, or with one that says 16 kHz, nothing else would stop it.
    change_settings(tmp_path, "preprocessor_config.json", sampling_rate=16_000)
    hub.hf_hubert_custom(str(tmp_path))
    assert "heard 24000 Hz, and hf_hubert_custom gives it 16000 Hz" in caplog.text
    assert "-u mert_local" in caplog.text
    caplog.clear()
    change_settings(tmp_path, sample_rate=None)
    hub.hf_hubert_custom(str(tmp_path))
    assert "mert_local" not in caplog.text
