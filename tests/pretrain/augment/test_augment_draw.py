"""The random part: probabilities, ranges, and one independent draw a clip."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from s3prl.pretrain.augment import AugmentConfig, Draws, draw

RATE = 16_000
ALWAYS = AugmentConfig(
    polarity_probability=1.0,
    noise_probability=1.0,
    gain_probability=1.0,
    filter_probability=1.0,
    delay_probability=1.0,
    pitch_probability=1.0,
)


def generators(count, seed=0):
    return [np.random.default_rng([seed, item]) for item in range(count)]


@pytest.fixture(scope="module")
def many():
    return draw(AugmentConfig(), generators(4000), RATE)


def equal(one, other):
    return all(torch.equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(Draws))


@pytest.mark.parametrize(
    ("applied", "probability"),
    [
        (lambda d: d.invert, 0.8),
        (lambda d: d.noise_ratio > 0, 0.01),
        (lambda d: d.gain_db < 0, 0.3),
        (lambda d: d.high_pass_hz > 0, 0.4),
        (lambda d: d.low_pass_hz > 0, 0.4),
        (lambda d: d.delay_samples > 0, 0.3),
        (lambda d: d.pitch_cents != 0, 0.6 * 1400 / 1401),
    ],
    ids=["polarity", "noise", "gain", "high-pass", "low-pass", "delay", "pitch"],
)
def test_each_transform_comes_as_often_as_asked(many, applied, probability):
    count = applied(many).sum().item()
    sigma = (4000 * probability * (1 - probability)) ** 0.5
    assert abs(count - 4000 * probability) < 4 * sigma


def test_transforms_are_drawn_independently_of_each_other(many):
    flags = torch.stack(
        [many.invert, many.gain_db < 0, many.high_pass_hz > 0, many.delay_samples > 0, many.pitch_cents != 0]
    )
    correlation = torch.corrcoef(flags.float()) - torch.eye(5)
    assert correlation.abs().max() < 4 / 4000**0.5  # the standard error of a correlation of 0


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        ("gain_db", -20, -1),
        ("high_pass_hz", 200, 1200),
        ("low_pass_hz", 2200, 4000),
        ("pitch_cents", -700, 700),
    ],
)
def test_ranges_are_filled_uniformly(many, field, low, high):
    values = getattr(many, field)
    values = values[values != 0]
    assert low <= values.min() < low + 0.01 * (high - low)
    assert high >= values.max() > high - 0.01 * (high - low)
    # mean of n uniform draws: standard error (high - low) / sqrt(12 n)
    assert abs(values.mean() - (low + high) / 2) < 4 * (high - low) / (12 * len(values)) ** 0.5


def test_noise_ratio_range():
    ratio = draw(ALWAYS, generators(2000), RATE).noise_ratio
    assert 1e-4 <= ratio.min() < 2e-4
    assert 9.9e-3 < ratio.max() <= 1e-2


def test_pitch_is_in_whole_cents_and_delay_in_the_six_steps(many):
    assert torch.equal(many.pitch_cents, many.pitch_cents.round())
    values, counts = many.delay_samples[many.delay_samples > 0].unique(return_counts=True)
    assert values.tolist() == [3200, 4000, 4800, 5600, 6400, 7200]  # 200, 250, ..., 450 ms at 16 kHz
    assert counts.min() > 140  # 200 expected of each; sigma 13


def test_same_generators_draw_the_same_and_others_differ():
    assert equal(draw(ALWAYS, generators(50), RATE), draw(ALWAYS, generators(50), RATE))
    other = draw(ALWAYS, generators(50, seed=1), RATE)
    assert (draw(ALWAYS, generators(50), RATE).gain_db != other.gain_db).all()


def test_no_clip_shares_the_draws_of_another():
    drawn = draw(ALWAYS, generators(48), RATE)
    for field in ("noise_ratio", "noise_seed", "gain_db"):
        assert len(getattr(drawn, field).unique()) == 48
    assert len((drawn.high_pass_hz + drawn.low_pass_hz).unique()) == 48
    assert len(drawn.pitch_cents.unique()) > 40  # 1,401 whole cents: 0.8 pairs expected to meet


def test_a_clip_draws_the_same_among_other_clips():
    alone = draw(AugmentConfig(), [np.random.default_rng([0, 7])], RATE)
    among = draw(
        AugmentConfig(), [np.random.default_rng([9, item]) for item in range(3)] + generators(8)[7:], RATE
    )
    for field in fields(Draws):
        assert getattr(alone, field.name)[0] == getattr(among, field.name)[3]


def test_as_many_numbers_are_used_whatever_is_decided():
    never = AugmentConfig(
        polarity_probability=0.0,
        noise_probability=0.0,
        gain_probability=0.0,
        filter_probability=0.0,
        delay_probability=0.0,
        pitch_probability=0.0,
    )
    left = []
    for config in (never, ALWAYS, AugmentConfig()):
        generator = np.random.default_rng(3)
        drawn = draw(config, [generator], RATE)
        left.append(generator.random())
        if config is never:
            seed = drawn.noise_seed
            assert equal(drawn, Draws(**{**vars(Draws.neutral(1)), "noise_seed": seed}))
    assert left[0] == left[1] == left[2]


def test_a_probability_does_not_change_the_other_draws():
    drawn = draw(AugmentConfig(), generators(100), RATE)
    without = draw(AugmentConfig(gain_probability=0.0), generators(100), RATE)
    assert (without.gain_db == 0).all()
    assert torch.equal(drawn.pitch_cents, without.pitch_cents)
    assert torch.equal(drawn.delay_samples, without.delay_samples)


def test_neutral_and_no_clips():
    drawn = draw(ALWAYS, generators(6), RATE)
    assert len(Draws.neutral(5)) == 5
    assert len(draw(ALWAYS, [], RATE)) == 0
    for field in fields(Draws):
        assert getattr(drawn, field.name).dtype == getattr(Draws.neutral(1), field.name).dtype


def test_a_cutoff_past_half_the_sample_rate_is_refused():
    with pytest.raises(ValueError, match="^low_pass_max_hz: 4000.0 is above half the sample rate, 3500 Hz"):
        draw(AugmentConfig(), generators(1), 7000)
