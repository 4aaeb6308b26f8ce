"""A shared model in transformers' Auto classes and pipeline: the expert's output, to float precision."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import s3prl_pemr
from s3prl_pemr.settings import parse

transformers = pytest.importorskip("transformers", minversion="5")
pytest.importorskip("s3prl_pemr.sharing.in_transformers")
from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, pipeline  # noqa: E402

from s3prl_pemr.methods import shared_classes  # noqa: E402

WAVS = [0.1 * np.random.default_rng(0).standard_normal(n).astype(np.float32) for n in (50_000, 16_001)]
LENGTHS = torch.tensor([50_000, 16_001])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    s3prl_pemr.load("pemr").save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def expected(folder):
    """The expert's frames of WAVS, (2, 4, 512)."""
    from s3prl import hub

    with torch.no_grad():
        return hub.pemr(ckpt=str(folder))(list(map(torch.from_numpy, WAVS)))["last_hidden_state"]


@pytest.fixture(scope="module")
def features(folder):
    return AutoFeatureExtractor.from_pretrained(folder)(WAVS, sampling_rate=16_000, return_tensors="pt")


@torch.no_grad()
def test_auto_classes_load_what_save_pretrained_wrote(folder, features, expected):
    config, model = AutoConfig.from_pretrained(folder), AutoModel.from_pretrained(folder)
    assert config.model_type == "pemr" and config.method == "pemr" and config.model == "PEMR"
    assert features["attention_mask"].sum(dim=1).tolist() == LENGTHS.tolist()
    found = model(**features, output_hidden_states=True)
    torch.testing.assert_close(found.last_hidden_state, expected, rtol=0, atol=1e-6)
    assert found.hidden_states == (found.last_hidden_state,)
    assert (found.last_hidden_state[1, model.frame_counts(LENGTHS)[1] :] == 0).all()
    assert model(**features, return_dict=False)[0].equal(found.last_hidden_state)
    beyond = features["input_values"] + 5 * (features["attention_mask"] == 0)  # what lies behind is not heard
    torch.testing.assert_close(model(beyond, features["attention_mask"]).last_hidden_state, expected)
    assert not model.network.training and model.train().network.training


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_dtype_is_that_of_the_weights_but_not_of_the_front_end(folder, features, expected, dtype):
    model = AutoModel.from_pretrained(folder, dtype=dtype)
    assert model.dtype == dtype
    assert {buffer.dtype for buffer in model.frontend.buffers()} == {torch.float32}
    found = model(**features).last_hidden_state
    assert found.dtype == dtype
    casted = s3prl_pemr.load(folder).to(dtype)(features["input_values"], LENGTHS)
    torch.testing.assert_close(found, casted, rtol=0, atol=0)
    assert (found.float() - expected).abs().max() < 0.1 * expected.abs().max()
    assert AutoModel.from_pretrained(folder, torch_dtype=dtype).dtype == dtype  # its older name


@torch.no_grad()
def test_device_map(folder, features, expected):
    pytest.importorskip("accelerate")
    for device_map in ("auto", {"": "cpu"}):
        model = AutoModel.from_pretrained(folder, device_map=device_map)
        torch.testing.assert_close(model(**features).last_hidden_state, expected, rtol=0, atol=1e-6)


def test_pipeline_hears_waveforms_and_files(folder, expected, tmp_path):
    import soundfile

    extractor = pipeline("feature-extraction", model=str(folder), device="cpu")
    for found in (extractor(WAVS, return_tensors=True), extractor(WAVS, batch_size=2, return_tensors=True)):
        assert [frames.shape for frames in found] == [(1, 4, 512), (1, 1, 512)]
        for frames, item in zip(found, expected, strict=True):
            torch.testing.assert_close(frames[0], item[: frames.shape[1]], rtol=0, atol=1e-5)
    soundfile.write(tmp_path / "a.wav", WAVS[1], 16_000, subtype="FLOAT")
    of_file = extractor(str(tmp_path / "a.wav"))
    np.testing.assert_allclose(of_file, found[1].numpy(), atol=1e-5)
    of_dict = extractor({"raw": WAVS[1], "sampling_rate": 16_000})
    np.testing.assert_allclose(of_dict, of_file, atol=1e-5)
    with pytest.raises(ValueError, match="waveforms at 44100 Hz: this model hears 16000 Hz"):
        extractor({"array": WAVS[1], "sampling_rate": 44_100})
    (tmp_path / "b.wav").write_bytes(b"no audio at all")
    with pytest.raises(ValueError, match="b.wav: "):
        extractor(str(tmp_path / "b.wav"))


@torch.no_grad()
@pytest.mark.parametrize("name", ["LogMelFCN", "WaveformSampleCNN", "CNN1D", "SampleCNN"])
def test_other_models_and_the_way_back(name, tmp_path):
    cls = shared_classes()[name]
    torch.manual_seed(0)
    model = cls.from_config(parse(cls.Config, {}, "here")).eval()
    model.save_pretrained(tmp_path / "a")
    loaded = AutoModel.from_pretrained(tmp_path / "a")
    wavs = torch.from_numpy(np.stack([WAVS[0], np.resize(WAVS[1], 50_000)]))
    want = model(wavs, torch.tensor([50_000, 50_000]))
    torch.testing.assert_close(loaded(wavs).last_hidden_state, want, rtol=0, atol=1e-6)
    loaded.save_pretrained(tmp_path / "b")
    torch.testing.assert_close(s3prl_pemr.load(tmp_path / "b")(wavs, torch.tensor([50_000] * 2)), want)


def test_models_of_text_stay_as_they_are(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"[PAD]": 0, "la": 1, "[UNK]": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]").save_pretrained(tmp_path)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    BertModel(BertConfig(vocab_size=3, **sizes)).save_pretrained(tmp_path)
    found = pipeline("feature-extraction", model=str(tmp_path), device="cpu")("la la", return_tensors=True)
    assert found.shape == (1, 2, 8)


def test_odd_folders_and_waveforms_are_one_line(folder, tmp_path):
    s3prl_pemr.load("pemr").save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["encoder.blocks.0.conv.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="not those of its config.json: encoder.blocks.0.conv.weight"):
        AutoModel.from_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"model": "Other"}))
    with pytest.raises(ValueError, match="model 'Other': not one of PEMR, LogMelFCN"):
        AutoModel.from_pretrained(tmp_path)
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    with pytest.raises(ValueError, match="this model hears 16000 Hz"):
        extractor(WAVS, sampling_rate=48_000)
    with pytest.raises(ValueError, match="NaN or infinite"):
        extractor(WAVS[0] * np.nan)
    with pytest.raises(ValueError, match="holds int16"):
        extractor((1000 * WAVS[0]).astype(np.int16))


def test_transformers_is_imported_only_when_asked_for():
    code = "import s3prl_pemr, sys; s3prl_pemr.load('pemr'); print('transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False"], done.stderr
