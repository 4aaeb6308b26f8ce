"""The chain: order, what is left alone, and clips that do not depend on each other."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from s3prl.pretrain.augment import AugmentConfig, Draws, augment, draw
from s3prl.pretrain.augment.delay import add_delay
from s3prl.pretrain.augment.filters import filter_clips
from s3prl.pretrain.augment.gain import apply_gain
from s3prl.pretrain.augment.noise import add_noise
from s3prl.pretrain.augment.pitch import pitch_shift

RATE = 16_000
VALUES = {
    "invert": True,
    "noise_ratio": 0.01,
    "gain_db": -6.0,
    "high_pass_hz": 500.0,
    "low_pass_hz": 3000.0,
    "delay_samples": 3200,
    "pitch_cents": 300.0,
}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """On a busy machine threads wait for each other in every small FFT: 20 times slower."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def music_like(batch, samples=43_200, seed=0):
    """Three harmonic notes over some noise, other ones in each clip."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(samples) / RATE
    roots = 80 + 400 * torch.rand(batch, 3, 1, 1, generator=generator)
    partials = torch.arange(1, 6)[:, None]
    tones = (torch.sin(2 * torch.pi * roots * partials * time) / partials).sum(dim=(1, 2))
    return 0.1 * tones + 0.01 * torch.randn(batch, samples, generator=generator)


def drawn(batch, seed=0):
    return draw(AugmentConfig(), [np.random.default_rng([seed, item]) for item in range(batch)], RATE)


def pick(draws, rows):
    return Draws(**{field.name: getattr(draws, field.name)[rows] for field in fields(Draws)})


def test_nothing_drawn_is_nothing_done():
    wavs = music_like(4)
    out = augment(wavs, Draws.neutral(4), RATE)
    assert torch.equal(out, wavs)
    assert out.data_ptr() != wavs.data_ptr()


@pytest.mark.parametrize("field", VALUES)
def test_a_transform_touches_only_the_clips_it_was_drawn_for(field):
    wavs = music_like(4)
    draws = Draws.neutral(4)
    getattr(draws, field)[torch.tensor([1, 3])] = VALUES[field]
    before = wavs.clone()
    out = augment(wavs, draws, RATE)
    assert torch.equal(out[[0, 2]], wavs[[0, 2]])
    assert (out[[1, 3]] != wavs[[1, 3]]).float().mean(dim=1).min() > 0.9
    assert torch.equal(wavs, before)


def test_everything_in_clmrs_order():
    wavs = music_like(1)
    draws = Draws(
        **{name: torch.tensor([value]) for name, value in VALUES.items()}, noise_seed=torch.tensor([4])
    )
    draws.low_pass_hz.zero_()
    by_hand = apply_gain(add_noise(-wavs, draws.noise_ratio, draws.noise_seed), draws.gain_db)
    by_hand = filter_clips(by_hand, draws.high_pass_hz, draws.low_pass_hz, RATE)
    by_hand = pitch_shift(add_delay(by_hand, draws.delay_samples, 0.3), draws.pitch_cents, RATE)
    assert torch.equal(augment(wavs, draws, RATE, delay_volume=0.3), by_hand)


def test_a_clip_comes_out_the_same_alone_and_in_any_batch():
    # Not bit for bit: an FFT of one clip and of many round differently. Peaks are 0.1 to 0.5.
    wavs, draws = music_like(12), drawn(12)
    together = augment(wavs, draws, RATE)
    shuffled = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(
        augment(wavs[shuffled], pick(draws, shuffled), RATE), together[shuffled], rtol=1e-5, atol=1e-5
    )
    for item in range(12):
        alone = augment(wavs[item : item + 1], pick(draws, [item]), RATE)
        assert torch.allclose(alone[0], together[item], rtol=1e-5, atol=1e-5), item


def test_two_draws_give_two_views():
    wavs = music_like(12)
    one, other = augment(wavs, drawn(12, seed=1), RATE), augment(wavs, drawn(12, seed=2), RATE)
    assert ((one - other).abs().amax(dim=1) > 1e-3).sum() >= 11  # two clips may both draw next to nothing
    assert torch.equal(one, augment(wavs, drawn(12, seed=1), RATE))


@pytest.mark.parametrize("samples", [1, 2, 31, 3199, 3200, 43_199])
def test_any_length_is_kept_and_finite(samples):
    out = augment(music_like(20, samples), drawn(20), RATE)
    assert out.shape == (20, samples)
    assert out.isfinite().all()


def test_silence_stays_silence():
    assert augment(torch.zeros(20, 43_200), drawn(20), RATE).abs().max() == 0


def test_no_clips():
    assert augment(torch.zeros(0, 100), Draws.neutral(0), RATE).shape == (0, 100)


def test_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match="^wavs: torch.float64 of shape"):
        augment(torch.zeros(2, 10).double(), Draws.neutral(2), RATE)
    with pytest.raises(ValueError, match="^draws: of 3 clips for 2 wavs"):
        augment(torch.zeros(2, 10), Draws.neutral(3), RATE)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same():
    wavs, draws = music_like(24), drawn(24)
    with torch.autocast("cuda"):
        there = augment(wavs.cuda(), draws, RATE).cpu()
    same = ((there - augment(wavs, draws, RATE)).abs() < 1e-4).all(dim=1)
    assert same.sum() >= 22  # another rounding may decide a splice between equals otherwise
