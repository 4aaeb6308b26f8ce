"""Polarity, gain and noise."""

import pytest
import torch
from s3prl.pretrain.augment.gain import apply_gain
from s3prl.pretrain.augment.noise import add_noise
from s3prl.pretrain.augment.polarity import invert_polarity


@pytest.fixture
def wavs():
    return torch.randn(3, 43_200, generator=torch.Generator().manual_seed(0)) * 0.3


def level_db(wavs):
    return 20 * torch.log10(wavs.std(dim=1))


def test_polarity_turns_the_clip_upside_down(wavs):
    assert torch.equal(invert_polarity(wavs) + wavs, torch.zeros_like(wavs))


def test_gain_in_db(wavs):
    gain_db = torch.tensor([-20.0, -6.0206, -1.0])  # 0.1, 0.5, 0.8913
    louder = apply_gain(wavs, gain_db)
    assert torch.allclose(level_db(louder) - level_db(wavs), gain_db, atol=1e-3)
    assert torch.allclose(louder[1], wavs[1] * 0.5, rtol=1e-5)


def test_gain_does_not_clamp():
    assert apply_gain(torch.full((1, 4), 3.0), torch.tensor([-1.0])).max() == pytest.approx(2.6738, abs=1e-4)


@pytest.mark.parametrize(("ratio", "snr_db"), [(1e-2, 40.0), (1e-3, 60.0), (1e-4, 80.0)])
def test_noise_lies_below_the_clip_by_its_ratio(wavs, ratio, snr_db):
    noise = add_noise(wavs.double(), torch.full((3,), ratio).double(), torch.arange(3)) - wavs.double()
    assert torch.allclose(level_db(wavs.double()) - level_db(noise), torch.tensor(snr_db).double(), atol=0.1)


def test_noise_is_white_and_comes_from_the_seed_alone(wavs):
    ratio = torch.full((3,), 0.01)
    noise = add_noise(wavs, ratio, torch.tensor([5, 6, 5])) - wavs
    noise = noise / noise.std(dim=1, keepdim=True)
    assert torch.allclose(noise[0], noise[2], atol=1e-3)
    assert abs((noise[0] * noise[1]).mean()) < 0.02  # 4 / sqrt(43,200)
    assert abs((noise[0, 1:] * noise[0, :-1]).mean()) < 0.02
    assert torch.equal(
        add_noise(wavs, ratio, torch.tensor([5, 6, 5]))[1:2],
        add_noise(wavs[1:2], ratio[:1], torch.tensor([6])),
    )


def test_noise_on_silence_is_silence():
    assert add_noise(torch.zeros(1, 100), torch.tensor([0.01]), torch.tensor([1])).abs().max() == 0
