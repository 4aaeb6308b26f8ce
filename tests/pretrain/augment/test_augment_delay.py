"""The echo: where it is and how loud."""

import pytest
import torch
from s3prl.pretrain.augment.delay import add_delay


def test_an_impulse_comes_back_once_at_half_the_direct_sound():
    impulse = torch.zeros(2, 43_200)
    impulse[:, 100] = 1.0
    delayed = add_delay(impulse, torch.tensor([3200, 7200]), delay_volume=0.5)
    for echo, samples in zip(delayed, (3200, 7200), strict=True):
        assert echo.nonzero().squeeze(1).tolist() == [100, 100 + samples]
        assert echo[100] == 0.5
        assert echo[100 + samples] == 0.25


def test_volume_sets_the_echo_alone():
    delayed = add_delay(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([2]), delay_volume=0.2)
    assert delayed[0].tolist() == pytest.approx([0.5, 0.0, 0.1])


def test_silence_before_the_first_echo_not_the_end_of_the_clip():
    wavs = torch.randn(1, 1000, generator=torch.Generator().manual_seed(0))
    assert torch.equal(add_delay(wavs, torch.tensor([600]), 0.5)[:, :600], wavs[:, :600] / 2)


@pytest.mark.parametrize("samples", [1, 3200])
def test_a_delay_of_the_clip_or_more_only_halves(samples):
    wavs = torch.ones(1, samples)
    assert torch.equal(add_delay(wavs, torch.tensor([3200]), 0.5), wavs / 2)
