"""AST and CLAP from their folders: the plain models' numbers, frames, what is refused."""

import pytest
import torch
import torchaudio
from s3prl import hub
from tiny_models import ast_folder, change_settings, clap_folder
from transformers import ASTFeatureExtractor, ClapFeatureExtractor

FRAME_SAMPLES = {"ast_local": 1_600, "clap_local": 5_000}
FOLDERS = {"ast_local": ast_folder, "clap_local": clap_folder}


def music(samples, seed=0):
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed)) * 0.1


@pytest.mark.parametrize("samples", [161_600, 40_000])
def test_ast_layers_are_the_plain_model_s_averaged_over_frequency(tmp_path, samples):
    plain = ast_folder(tmp_path)
    wav = music(samples)
    inputs = ASTFeatureExtractor()(wav.numpy(), sampling_rate=16_000, return_tensors="pt")
    with torch.no_grad():
        expected = plain(**inputs, output_hidden_states=True)
        found = hub.ast_local(ckpt=str(tmp_path))([wav])
    layers = [*expected.hidden_states[:-1], expected.last_hidden_state]
    assert len(found["hidden_states"]) == len(layers) == 4
    for ours, theirs in zip(found["hidden_states"], layers, strict=True):
        assert theirs.shape == (1, 2 + 12 * 101, 16)
        times = torch.stack([theirs[0, 2 + time :: 101].mean(dim=0) for time in range(101)])
        torch.testing.assert_close(ours[0], times[: samples // 1_600], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fused", [False, True])
def test_clap_is_the_plain_audio_tower_averaged_over_bands(tmp_path, fused):
    plain = clap_folder(tmp_path, fused)
    wav = music(160_000)
    heard = torchaudio.functional.resample(wav, 16_000, 48_000).numpy()
    inputs = ClapFeatureExtractor.from_pretrained(tmp_path)(heard, sampling_rate=48_000, return_tensors="pt")
    with torch.no_grad():
        tower = plain.audio_model(inputs["input_features"], is_longer=torch.tensor([[False]]))
        found = hub.clap_local(ckpt=str(tmp_path))([wav])["hidden_states"]
    assert tower.last_hidden_state.shape == (1, 32, 2, 32)
    (ours,) = found
    torch.testing.assert_close(ours[0], tower.last_hidden_state[0].mean(dim=1).T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("samples", [1, 16_001, 170_000])
def test_frames_of_any_length_and_in_any_batch(tmp_path, name, samples):
    FOLDERS[name](tmp_path)
    expert = getattr(hub, name)(ckpt=str(tmp_path))
    rate = FRAME_SAMPLES[name]
    assert expert.get_downsample_rates("hidden_states") == rate
    wav = music(samples)
    with torch.no_grad():
        alone = expert([wav])["last_hidden_state"]
        together = expert([music(16_001, 1), wav])["last_hidden_state"]
    assert alone.shape[:2] == (1, -(-samples // rate))
    torch.testing.assert_close(together[1, : alone.shape[1]], alone[0], rtol=1e-4, atol=1e-5)
    assert torch.isfinite(alone).all()


@pytest.mark.parametrize("name", FOLDERS)
def test_half_precision_and_gradients(tmp_path, name):
    FOLDERS[name](tmp_path)
    expert = getattr(hub, name)(ckpt=str(tmp_path))
    expert([music(16_000)])["last_hidden_state"].sum().backward()
    assert any(value.grad is not None and value.grad.abs().sum() > 0 for value in expert.parameters())
    with torch.no_grad():
        assert expert.bfloat16()([music(16_000)])["last_hidden_state"].dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("name", "file", "changes", "match"),
    [
        ("ast_local", "config.json", {"model_type": "clap"}, "model_type is 'clap'.*not an AST"),
        ("ast_local", "config.json", {"num_hidden_layers": 4}, "weights of a ASTModel: 16 are missing"),
        ("ast_local", "preprocessor_config.json", {"max_length": 512}, "max_length is 512, not 1024"),
        ("ast_local", "preprocessor_config.json", {"sampling_rate": 8_000}, "hears 16 kHz"),
        ("clap_local", "config.json", {"model_type": "bert"}, "not a CLAP"),
        ("clap_local", "preprocessor_config.json", {"sampling_rate": 16_000}, "hears 10 s of 48 kHz"),
    ],
)  # fmt: skip
def test_what_is_no_such_model_is_one_line(tmp_path, name, file, changes, match):
    FOLDERS[name](tmp_path)
    change_settings(tmp_path, file, **changes)
    with pytest.raises(ValueError, match=match) as error:
        getattr(hub, name)(ckpt=str(tmp_path))
    assert "\n" not in str(error.value)
