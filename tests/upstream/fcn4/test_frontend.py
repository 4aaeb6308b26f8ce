"""The log-mel front end against librosa and numpy in float64."""

import librosa.filters
import numpy as np
import pytest
import torch
from s3prl.upstream.fcn4.encoder import FCN4
from s3prl.upstream.fcn4.frontend import FrontendConfig, LogMel, frame_count, mel_filters
from s3prl.upstream.fcn4.long_tracks import encode_batch, encode_in_windows


@pytest.fixture
def frontend():
    return LogMel(FrontendConfig())


def test_log_mel_equals_numpy_with_librosas_filters(frontend):
    wav = np.random.default_rng(0).standard_normal(5000) * 0.1
    padded = np.pad(wav, 128)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    frames = np.stack([padded[t * 128 : t * 128 + 256] * window for t in range(40)])  # ceil(5000 / 128) = 40
    power = np.abs(np.fft.rfft(frames)) ** 2
    filters = librosa.filters.mel(sr=16_000, n_fft=256, n_mels=128, dtype=np.float64)
    expected = np.log(power @ filters.T + 1e-6)
    got = frontend.log_mel(torch.from_numpy(wav).float()[None])[0]
    assert got.shape == (40, 128)
    np.testing.assert_allclose(got.numpy(), expected, atol=2e-4)


@pytest.mark.parametrize("n_fft", [256, 512])
@pytest.mark.parametrize("samples", [1, 127, 128, 129, 43_200])
def test_frames_are_ceil_samples_over_hop(n_fft, samples):
    frontend = LogMel(FrontendConfig(n_fft=n_fft))
    assert frontend(torch.zeros(2, samples)).shape == (2, -(-samples // 128), 128)
    assert frame_count(samples, 128) == -(-samples // 128)


@pytest.mark.parametrize(
    ("n_fft", "empty", "of_one_bin", "sharing_a_bin", "rank"), [(256, 13, 55, 44, 88), (512, 0, 25, 0, 116)]
)
def test_what_the_filters_hold(n_fft, empty, of_one_bin, sharing_a_bin, rank):
    filters = mel_filters(FrontendConfig(n_fft=n_fft)).double()
    held = [tuple(column.nonzero().flatten().tolist()) for column in filters.T]
    assert held.count(()) == empty
    assert sum(len(bins) == 1 for bins in held) == of_one_bin
    # filters that hold the same one bin are copies of each other, to a factor; no two share several bins
    shared = [bins for bins in held if bins and held.count(bins) > 1]
    assert len(shared) == sharing_a_bin
    assert all(len(bins) == 1 and held.count(bins) == 2 for bins in shared)
    # the 88th singular value is 2e-5 of the first: a filter that just touches a bin; the rest is rounding
    values = torch.linalg.svdvals(filters)
    assert (values > 1e-6 * values[0]).sum() == rank
    assert values[rank:].max() < 1e-12 * values[0]


def test_windows_over_a_long_track_equal_the_whole_with_512_points():
    # half a frame is two hops here: so many frames in front of a window are dropped (with 256 points one)
    torch.manual_seed(0)
    frontend = LogMel(FrontendConfig(n_fft=512, n_mels=32))
    encoder = FCN4((4, 4, 4, 4)).train()
    wavs = torch.randn(2, 36 * 16_384 + 77) * 0.1
    lengths = torch.tensor([wavs.shape[1], 33 * 16_384 + 1])
    wavs[1, lengths[1] :] = 0
    with torch.no_grad():
        for _ in range(20):  # running statistics of something: with the initial ones nothing comes out
            encoder(frontend(wavs[:1, :43_200]))
        encoder.eval()
        whole = encode_batch(frontend, encoder, wavs, lengths)
        windows = encode_in_windows(frontend, encoder, wavs, lengths)
    assert whole.shape == (2, 37, encoder.output_dim(32))
    assert whole[0].std(dim=0).mean() > 0.05
    torch.testing.assert_close(windows, whole, rtol=1e-4, atol=1e-5)


def test_digital_silence_is_finite(frontend):
    # log(0 + 1e-6)
    assert frontend.log_mel(torch.zeros(1, 4000)).unique().tolist() == pytest.approx([np.log(1e-6)], abs=1e-5)
    assert torch.isfinite(frontend(torch.zeros(1, 4000))).all()


def test_thirteen_filters_hold_no_bin_and_are_neutral(frontend):
    empty = frontend.filters.sum(dim=0) == 0
    assert empty.sum() == 13
    frames = frontend(torch.randn(1, 4000))
    assert frames[..., empty].abs().max() < 1e-5
    assert frames[..., ~empty].abs().max() > 0.5


def test_zero_is_the_mean_of_the_measured_audio(frontend):
    wav = torch.randn(1, 12_800, generator=torch.Generator().manual_seed(0))
    log_mel = frontend.log_mel(wav)[0]
    assert frontend(wav).mean().abs() > 0.1  # not so with the defaults
    frontend.set_statistics(log_mel.mean(dim=0), log_mel.std(dim=0, correction=0))
    frames = frontend(wav)[0]
    assert frames.mean(dim=0).abs().max() < 1e-3
    held = frontend.filters.sum(dim=0) > 0
    torch.testing.assert_close(frames.std(dim=0, correction=0)[held], torch.ones(int(held.sum())))


def test_deviations_are_floored(frontend):
    std = torch.ones(128)
    std[3] = 0.0
    frontend.set_statistics(torch.zeros(128), std)
    wav = torch.randn(1, 1280)
    torch.testing.assert_close(frontend(wav)[..., 3], frontend.log_mel(wav)[..., 3] / 0.1)


def test_zeros_behind_a_clip_change_none_of_its_frames(frontend):
    wav = torch.randn(1, 1000)
    padded = torch.nn.functional.pad(wav, (0, 3000))
    torch.testing.assert_close(frontend(padded)[:, :8], frontend(wav), rtol=1e-5, atol=1e-5)


def test_autocast_leaves_it_in_float32(frontend):
    wav = torch.randn(1, 4000)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        frames = frontend(wav)
    assert frames.dtype == torch.float32
    assert torch.equal(frames, frontend(wav))
