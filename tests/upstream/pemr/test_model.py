"""The whole model: two gradient-disjoint halves, features that do not depend on the batch, long tracks."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from s3prl.upstream.fcn4.long_tracks import encode_batch
from s3prl.upstream.pemr.config import PemrConfig
from s3prl.upstream.pemr.model import PEMR

from s3prl_pemr.settings import parse


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = PEMR(PemrConfig()).train()
    with torch.no_grad():  # running statistics of something
        model(torch.randn(4, 43_200) * 0.1, torch.full((4,), 43_200))
    return model.eval()


def features(model, *wavs):
    padded = torch.nn.utils.rnn.pad_sequence(wavs, batch_first=True)
    with torch.no_grad():
        return model(padded, torch.tensor([len(w) for w in wavs]))


@pytest.mark.parametrize("samples", [1, 8_191, 16_000, 16_384, 16_385])
def test_frames_are_ceil_samples_over_16384(model, samples):
    assert features(model, torch.randn(samples)).shape == (1, -(-samples // 16_384), 512)


def test_features_do_not_depend_on_batch_mates(model):
    torch.manual_seed(1)
    wavs = [torch.randn(n) * 0.1 for n in (43_200, 1, 16_000, 200_001, 600_000)]
    together = features(model, *wavs)
    for row, wav in zip(together, wavs, strict=True):
        alone = features(model, wav)[0]
        torch.testing.assert_close(row[: len(alone)], alone, rtol=1e-4, atol=1e-5)
        assert (row[len(alone) :] == 0).all()


def test_windows_over_a_long_track_equal_the_whole(model):
    wavs = torch.randn(2, 36 * 16_384 + 77) * 0.1
    lengths = torch.tensor([wavs.shape[1], 33 * 16_384 + 1])
    wavs[1, lengths[1] :] = 0
    with torch.no_grad():
        whole = encode_batch(model.frontend, model.encoder, wavs, lengths)
        torch.testing.assert_close(model(wavs, lengths), whole, rtol=1e-4, atol=1e-5)


def test_windows_equal_the_whole_for_another_hop():
    # frames overlap by more than two hops: a window has to begin earlier to have its first frame whole
    settings = {"frontend": {"hop_samples": 32, "n_mels": 32}, "encoder_channels": [2, 2, 2, 2]}
    narrow = PEMR(parse(PemrConfig, settings, "test")).eval()
    wavs = torch.randn(1, 40 * 32 * 128 + 5)
    lengths = torch.tensor([wavs.shape[1]])
    with torch.no_grad():
        whole = encode_batch(narrow.frontend, narrow.encoder, wavs, lengths)
        torch.testing.assert_close(narrow(wavs, lengths), whole, rtol=1e-4, atol=1e-5)


def test_windows_behind_an_items_end_are_not_computed(model, monkeypatch):
    wavs = torch.zeros(3, 100 * 16_384)
    wavs[0].normal_()
    wavs[1:, :1_000].normal_()
    calls = []
    forward = model.encoder.forward
    monkeypatch.setattr(model.encoder, "forward", lambda *a: calls.append(1) or forward(*a))
    with torch.no_grad():
        model(wavs, torch.tensor([wavs.shape[1], 1_000, 1_000]))
    assert len(calls) == 4 + 1 + 1  # ceil(100 / 32) windows of the long item, one of each short one


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak memory from /proc")
def test_ten_minutes_cost_in_proportion_and_under_a_gigabyte():
    script = """
import re, torch, s3prl_pemr
from s3prl.upstream.pemr.config import PemrConfig
from s3prl.upstream.pemr.model import PEMR
def peak():  # of this program, in GB; getrusage would give the parent's
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1e6
model, wav = PEMR(PemrConfig()).eval(), torch.randn(1, 600 * 16_000)
with torch.no_grad():
    model(wav[:, :16_000], torch.tensor([16_000]))
    before = peak()
    model(wav[:, : 60 * 16_000], torch.tensor([60 * 16_000]))
    minute = peak() - before
    frames = model(wav, torch.tensor([600 * 16_000]))
print(frames.shape[1], minute, peak() - before)
"""
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    frames, minute, ten_minutes = (float(x) for x in out.split()[-3:])
    assert frames == -(-600 * 16_000 // 16_384)
    assert minute > 0.05  # the measure works
    assert ten_minutes < 1.0
    assert ten_minutes < 10 * minute


def test_prediction_and_contrast_share_no_parameter(model):
    frames_a, frames_b = torch.randn(2, 4, 338, 128)
    names = {id(p): name for name, p in model.named_parameters()}

    def reached(loss):
        model.zero_grad()
        loss.backward()
        return {names[id(p)].split(".")[0] for p in model.parameters() if p.grad is not None and p.grad.any()}

    positive, negative = model.masks(frames_a, frames_b)
    assert not positive.requires_grad
    contrast = [model.projector(model.clip_vectors(frames_b * m[..., None])) for m in (positive, negative)]
    assert reached(sum(z.square().sum() for z in contrast)) == {"encoder", "projector"}
    assert reached(model.predict(frames_a).square().sum()) == {"transformer", "predictor"}


def test_masks_are_the_same_under_autocast_and_in_training(model):
    frames_a, frames_b = torch.randn(2, 2, 338, 128)
    expected = model.masks(frames_a, frames_b)[0]
    assert (expected == 0).sum(dim=1).tolist() == [33, 33]
    model.train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(model.masks(frames_a, frames_b)[0], expected)
    model.eval()


@pytest.mark.parametrize(
    "frontend", [{"hop_samples": 0}, {"hop_samples": 200}, {"log_offset": 0.0}, {"std_floor": 0.0}]
)
def test_a_frontend_that_cannot_work_is_refused(frontend):
    with pytest.raises(ValueError, match=f"my.yaml: .*{next(iter(frontend))}"):
        parse(PemrConfig, {"frontend": frontend}, "my.yaml")


def test_unknown_setting_is_named():
    with pytest.raises(ValueError, match=r"my\.yaml: Key 'lairs' not in 'TransformerConfig'"):
        parse(PemrConfig, {"transformer": {"lairs": 4}}, "my.yaml")
    with pytest.raises(ValueError, match="Key 'depth' .*; there are layers, heads, frame_scale$"):
        parse(PemrConfig, {"transformer": {"depth": 4}}, "my.yaml")
    with pytest.raises(ValueError, match=r"my\.yaml: transformer\.layers: Value 'x' .* could not be"):
        parse(PemrConfig, {"transformer": {"layers": "x"}}, "my.yaml")
    with pytest.raises(ValueError, match=r"my\.yaml: .*mask_ratio must be in \[0, 1\)"):
        parse(PemrConfig, {"mask_ratio": 1.5}, "my.yaml")
