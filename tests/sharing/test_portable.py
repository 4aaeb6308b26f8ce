"""What export makes of a model: the same function, in plain operations."""

import numpy as np
import pytest
import torch
from s3prl.upstream.pemr.model import PEMR
from s3prl.upstream.taggers.expert import NETWORKS
from torch import nn

import s3prl_pemr
from s3prl_pemr.methods import METHODS, model_class
from s3prl_pemr.sharing.portable import MelPower, PortableFCN, dft_basis, portable

LENGTHS = (1, 127, 128, 129, 300, 16_384, 16_385, 50_000)


def noise(items, samples, dtype=torch.float32):
    return 0.1 * torch.randn(items, samples, generator=torch.Generator().manual_seed(samples), dtype=dtype)


def test_the_basis_is_the_fourier_transform():
    window, frame = torch.hann_window(256, dtype=torch.float64), noise(1, 256, torch.float64)[0]
    expected = np.fft.rfft((window * frame).numpy())
    found = (dft_basis(window) @ frame).numpy()
    np.testing.assert_allclose(found, [*expected.real, *expected.imag], rtol=0, atol=1e-13)


@pytest.mark.parametrize("samples", LENGTHS)
def test_mel_power_is_that_of_an_stft_in_double(samples):
    wavs, window = noise(2, samples, torch.float64), torch.hann_window(256, dtype=torch.float64)
    filters = torch.rand(129, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    stft = torch.stft(wavs, 256, 128, window=window, center=True, pad_mode="constant", return_complex=True)
    expected = (stft.abs() ** 2)[:, :, : -(-samples // 128)].transpose(1, 2) @ filters
    mel = MelPower(window, 128, filters)
    mel.basis = dft_basis(window)[:, None]  # else float32, as it is exported
    torch.testing.assert_close(mel(wavs).transpose(1, 2), expected, rtol=1e-10, atol=1e-12)


@torch.no_grad()
def test_log_mel_and_frames_are_those_of_the_shipped_model():
    model = s3prl_pemr.load("pemr")
    network = portable(model)
    for samples in LENGTHS:
        wavs = noise(2, samples)
        log_mel = network.log_mel(wavs).transpose(1, 2)
        torch.testing.assert_close(log_mel, model.frontend(wavs), rtol=0, atol=1e-4)
        expected = model(wavs, torch.full((2,), samples))
        torch.testing.assert_close(network(wavs), expected, rtol=0, atol=1e-4 * float(expected.max()))


def with_measured_norms(model):
    """Batch norms that do something: their statistics and weights drawn."""
    generator = torch.Generator().manual_seed(1)
    for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)):
        for value in (norm.running_var, norm.weight.data):
            value.uniform_(0.5, 2.0, generator=generator)
        for value in (norm.running_mean, norm.bias.data):
            value.uniform_(-0.5, 0.5, generator=generator)
    return model.eval()


@torch.no_grad()
@pytest.mark.parametrize("name", [*dict.fromkeys(method.model for method in METHODS.values()), *NETWORKS])
def test_every_kind_of_model(name):
    torch.manual_seed(0)
    if name in NETWORKS:
        model = with_measured_norms(NETWORKS[name]())
    else:
        cls = model_class(next(method for method in METHODS if METHODS[method].model == name))
        model = with_measured_norms(cls(cls.Config()))
    network = portable(model)
    for samples in (1_000, model.samples_per_frame, model.samples_per_frame + 1):
        wavs = noise(2, samples)
        expected = model(wavs, torch.full((2,), samples))
        torch.testing.assert_close(network(wavs), expected, rtol=0, atol=1e-4 * float(expected.max()) + 1e-6)


def test_odd_settings_are_padded_to_whole_windows():
    """40 mel bins: no pool divides them; an FFT of 512 over a hop of 160."""
    config = {"n_mels": 40, "n_fft": 512, "hop_samples": 160}
    from s3prl_pemr.settings import parse

    model = with_measured_norms(PEMR(parse(PEMR.Config, {"frontend": config}, "here")))
    network = portable(model)
    assert isinstance(network, PortableFCN)
    with torch.no_grad():
        for samples in (1, 160, 20_480, 20_481):
            expected = model(noise(1, samples), torch.tensor([samples]))
            found = network(noise(1, samples))
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-4 * float(expected.max()) + 1e-6)


def test_what_has_no_such_parts_is_refused():
    with pytest.raises(
        ValueError, match="a Linear cannot be exported: only models of `pretrain` and taggers"
    ):
        portable(nn.Linear(1, 1))
