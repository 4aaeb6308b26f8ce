"""High-pass and low-pass: response in dB, delay, ends, and a filter written out by hand."""

import numpy as np
import pytest
import torch
from s3prl.pretrain.augment.filters import filter_clips

RATE = 16_000
MIDDLE = 8_000
HIGH = torch.tensor([200.0, 700.0, 1200.0, 0.0, 0.0, 0.0])
LOW = torch.tensor([0.0, 0.0, 0.0, 2200.0, 3000.0, 4000.0])


@pytest.fixture(scope="module")
def impulse_responses():
    impulse = torch.zeros(6, 2 * MIDDLE + 1)
    impulse[:, MIDDLE] = 1.0
    return filter_clips(impulse, HIGH, LOW, RATE)


def gain_db(responses, frequency_hz):
    """Response of each filter at its own frequency, by a Fourier sum around the impulse."""
    time = torch.arange(-MIDDLE, MIDDLE + 1).double() / RATE
    wave = torch.exp(-2j * torch.pi * frequency_hz.double()[:, None] * time)
    return 20 * torch.log10((responses * wave).sum(dim=1).abs() + 1e-12)


def test_half_the_amplitude_at_the_cutoff(impulse_responses):
    assert torch.allclose(gain_db(impulse_responses, HIGH + LOW), torch.tensor(-6.02).double(), atol=0.05)


@pytest.mark.parametrize("factor", [1.25, 1.6])
def test_pass_side_and_stop_side(impulse_responses, factor):
    high_pass = HIGH > 0
    above, below = (
        gain_db(impulse_responses, (HIGH + LOW) * factor),
        gain_db(impulse_responses, (HIGH + LOW) / factor),
    )
    assert torch.where(high_pass, above, below).abs().max() < 0.1
    assert torch.where(high_pass, below, above).max() < -43


def test_no_delay_and_linear_phase(impulse_responses):
    assert torch.equal(impulse_responses.abs().argmax(dim=1), torch.full((6,), MIDDLE))
    assert torch.allclose(impulse_responses, impulse_responses.flip(1), atol=1e-6)


def test_as_a_filter_written_out_by_hand():
    wavs = torch.randn(6, 5000, generator=torch.Generator().manual_seed(0))
    filtered = filter_clips(wavs, HIGH, LOW, RATE)
    for wav, result, high, low in zip(
        wavs.numpy(), filtered.numpy(), HIGH.tolist(), LOW.tolist(), strict=True
    ):
        cutoff = (high + low) / RATE
        half = int(4 / cutoff)  # four cycles of the cutoff
        samples = np.arange(-half, half + 1)
        kernel = np.sinc(2 * cutoff * samples) * (0.5 + 0.5 * np.cos(np.pi * samples * cutoff / 4))
        smooth = np.convolve(np.pad(wav, half, mode="edge"), kernel / kernel.sum(), mode="valid")
        assert np.abs(result - (wav - smooth if high else smooth)).max() < 1e-5


def test_a_constant_is_kept_by_low_pass_and_removed_by_high_pass_up_to_the_ends():
    filtered = filter_clips(torch.full((6, 3000), 0.5), HIGH, LOW, RATE)
    assert filtered[:3].abs().max() < 1e-5
    assert (filtered[3:] - 0.5).abs().max() < 1e-5


@pytest.mark.parametrize("samples", [1, 2, 17, 1025])
def test_any_length(samples):
    filtered = filter_clips(torch.ones(6, samples), HIGH, LOW, RATE)
    assert filtered.shape == (6, samples)
    assert (filtered[3:] - 1).abs().max() < 1e-5


def test_a_very_low_cutoff_outgrows_the_kernel_but_still_removes_a_constant():
    filtered = filter_clips(torch.ones(1, 4000), torch.tensor([20.0]), torch.tensor([0.0]), RATE)
    assert filtered.abs().max() < 1e-5


@pytest.mark.parametrize(("high", "low"), [(0.0, 0.0), (300.0, 3000.0)])
def test_one_cutoff_each(high, low):
    with pytest.raises(ValueError, match="high_pass_hz, low_pass_hz"):
        filter_clips(torch.ones(1, 10), torch.tensor([high]), torch.tensor([low]), RATE)
