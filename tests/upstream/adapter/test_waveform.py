"""Waveforms of the wrong kind, and models in half precision."""

import copy

import pytest
import torch
from s3prl import hub
from s3prl.upstream.adapter import waveform
from s3prl.upstream.adapter.control import measure_statistics
from s3prl.upstream.adapter.expert import UpstreamExpert
from s3prl.upstream.adapter.waveform import pad_waveforms
from s3prl.upstream.baselines.model import WaveformConfig, WaveformSampleCNN
from s3prl.upstream.fcn4.model import LogMelFCN, LogMelFCNConfig
from s3prl.upstream.interfaces import Featurizer
from s3prl.upstream.pemr.config import PemrConfig
from s3prl.upstream.pemr.model import PEMR

# The encoders that checkpoints hold, of PEMR and of baselines.
MODELS = {
    "pemr": (PEMR, PemrConfig),
    "simclr": (LogMelFCN, LogMelFCNConfig),
    "clmr": (WaveformSampleCNN, WaveformConfig),
}
# Of the features' length; the mantissa has 10 and 7 bits. CLMR's waveform is rounded too, and 11 layers
# add to it.
TOLERANCE = {torch.float16: 0.01, torch.bfloat16: 0.05}
DEEPER = {"pemr": 1, "simclr": 1, "clmr": 4}


@pytest.fixture(autouse=True)
def not_yet_warned(monkeypatch):
    monkeypatch.setattr(waveform, "_warned", set())


def music(samples):
    time = torch.arange(samples) / 16_000
    return 0.3 * torch.sin(2 * torch.pi * 440 * time) * torch.exp(-4 * (time % 0.5))


@pytest.mark.parametrize("dtype", [torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool])
@pytest.mark.parametrize("name", ["pemr_random", "sample_cnn"])
def test_integers_are_refused_in_one_line(name, dtype):
    wavs = [music(20_000), (32_768 * music(20_000)).to(dtype)]
    with pytest.raises(ValueError, match="waveform 1 of the batch holds .*; divide int16 by 32768") as error:
        getattr(hub, name)()(wavs)
    assert "\n" not in str(error.value)
    assert str(dtype).removeprefix("torch.") in str(error.value)


def test_int16_values_as_floats_are_warned_of_once_a_process(caplog):
    loud = [music(20_000), 32_768 * music(20_000)]
    for _ in range(3):
        pad_waveforms(loud)
    (record,) = caplog.records
    assert "waveform 1 of the batch has a peak of 98" in record.getMessage()  # 0.3 * 32768 = 9830
    assert "divide int16 values by 32768" in record.getMessage()


def test_what_merely_overshoots_is_not_warned_of(caplog):
    pad_waveforms([20 * music(20_000)])  # a peak of 6
    assert not caplog.records


def test_waveforms_of_any_float_come_out_as_float32():
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        padded, lengths = pad_waveforms([torch.tensor([0.5, -1.0], dtype=dtype), torch.tensor([0.25])])
        assert padded.dtype == torch.float32
        assert padded.tolist() == [[0.5, -1.0], [0.25, 0.0]]
        assert lengths.tolist() == [2, 1]


@pytest.mark.parametrize("dtype", TOLERANCE, ids=["half", "bfloat16"])
@pytest.mark.parametrize("name", MODELS)
def test_half_precision_is_close_to_float32(name, dtype):
    model, config = MODELS[name]
    torch.manual_seed(0)
    reference = UpstreamExpert(model(config()))
    measure_statistics(reference.model)
    reduced = copy.deepcopy(reference).to(dtype)
    wavs = [music(40_000), music(30_000)]
    with torch.no_grad():
        expected = reference(wavs)["last_hidden_state"]
        found = reduced(wavs)["last_hidden_state"]
        of_half = reduced([wavs[1].to(dtype)])["last_hidden_state"]
    assert found.dtype == of_half.dtype == dtype
    assert (found.float() - expected).norm() <= DEEPER[name] * TOLERANCE[dtype] * expected.norm()
    assert torch.isfinite(of_half).all()


def test_a_front_end_stays_in_float32_and_goes_back_and_forth_without_loss():
    model = hub.pemr_random().model
    before = copy.deepcopy(dict(model.frontend.named_buffers()))
    model.half().float()
    for name, buffer in model.frontend.named_buffers():
        assert torch.equal(buffer, before[name]), name
    tagger = hub.musicnn().model.bfloat16()
    assert {buffer.dtype for buffer in tagger.mel.buffers()} == {torch.float32}
    assert tagger.input_norm.running_mean.dtype == torch.bfloat16


def test_the_featurizer_takes_half_precision():
    half = hub.pemr_random().half()
    featurizer = Featurizer(half, upstream_device="cpu")
    wavs = [music(60_000)]
    with torch.no_grad():
        assert featurizer(wavs, half(wavs))[0].shape == (4, 512)


def test_long_tracks_in_half_precision_keep_the_dtype_behind_their_end():
    half = hub.fcn().half()
    with torch.no_grad():  # 34 frames: the short one's second window is made of zeros
        frames = half([music(34 * 16_384), music(16_384)])["last_hidden_state"]
    assert frames.dtype == torch.float16
    assert frames[1, 1:].abs().max() == 0 < frames[1, 0].abs().max()
