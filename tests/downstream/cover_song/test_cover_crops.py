"""Crops, their order and lengths, and what they undergo."""

import numpy as np
import pytest
from s3prl.downstream.cover_song.config import AugmentConfig
from s3prl.downstream.cover_song.cqt.augment import augment, change_speed, mask_frequencies, roll_pitch
from s3prl.downstream.cover_song.cqt.crops import Crop, CropBatches, draw_crop, draw_windows

from s3prl_pemr.task.randomness import crop_generator

RAMP = np.tile(np.arange(8, dtype=np.float32), (84, 1))


def test_a_crop_at_the_tracks_own_speed():
    starts = {draw_crop(500, 200, [1.0, 1.0], crop_generator(0, epoch, 7)).first for epoch in range(200)}
    assert min(starts) >= 0
    assert max(starts) <= 300
    assert len(starts) > 100
    assert draw_crop(500, 200, [1.0, 1.0], crop_generator(0, 3, 7)) == draw_crop(
        500, 200, [1.0, 1.0], crop_generator(0, 3, 7)
    )


def test_the_speed_takes_more_or_fewer_columns():
    fast = draw_crop(500, 200, [1.3, 1.3], crop_generator(0, 0, 0))
    assert (fast.source, fast.columns) == (260, 200)
    slow = draw_crop(500, 200, [0.7, 0.7], crop_generator(0, 0, 0))
    assert (slow.source, slow.columns) == (140, 200)


@pytest.mark.parametrize(("speed", "columns"), [(1.0, 120), (1.25, 96), (0.75, 160), (0.5, 200)])
def test_a_short_track_is_taken_whole(speed, columns):
    # 120 columns last 120 / speed; at half speed a crop of 200 has no room for all of them
    crop = draw_crop(120, 200, [speed, speed], crop_generator(0, 0, 0))
    assert crop.columns == columns
    assert crop.source == (100 if speed == 0.5 else 120)


def test_windows_lie_within_the_crop():
    crop = Crop(first=10, source=20, columns=20)  # samples 74,304 to 222,912
    starts = np.concatenate(
        [draw_windows(crop, 10**6, 43_200, 4, crop_generator(0, epoch, 0)) for epoch in range(100)]
    )
    assert starts.min() >= 74_304
    assert starts.max() <= 222_912 - 43_200
    assert len(np.unique(starts)) > 300


def test_windows_of_what_is_shorter_than_one():
    assert draw_windows(Crop(0, 2, 2), 5_000, 43_200, 3, crop_generator(0, 0, 0)).tolist() == [0, 0, 0]
    # the last column of a short track may begin behind its end
    assert draw_windows(Crop(1, 1, 1), 5_000, 43_200, 2, crop_generator(0, 0, 0)).tolist() == [5_000] * 2


def test_lengths_take_turns_over_epochs():
    seen = [
        columns
        for epoch in range(3)
        for batch in CropBatches(range(10), 4, [200, 300, 400], epoch)
        for _, columns in batch[:1]
    ]
    assert seen == [200, 300, 400, 200, 300, 400]  # two batches an epoch: two of ten tracks are left out
    batch = next(iter(CropBatches(range(10), 4, [200, 300], 1)))
    assert batch == [(0, 200), (1, 200), (2, 200), (3, 200)]


def test_fewer_tracks_than_a_batch_are_one_batch():
    assert list(CropBatches([5, 3], 32, [200], 0)) == [[(5, 200), (3, 200)]]


def test_change_speed_by_hand():
    # 8 columns to 4: each between two of them
    np.testing.assert_allclose(change_speed(RAMP, 4)[0], [0.5, 2.5, 4.5, 6.5])
    np.testing.assert_array_equal(change_speed(RAMP, 8), RAMP)
    assert change_speed(RAMP, 11).shape == (84, 11)


def test_roll_pitch_is_not_circular():
    cqt = np.arange(84, dtype=np.float32)[:, None] + 1
    assert roll_pitch(cqt, 2)[:4, 0].tolist() == [0, 0, 1, 2]
    assert roll_pitch(cqt, -2)[-3:, 0].tolist() == [84, 0, 0]
    np.testing.assert_array_equal(roll_pitch(cqt, 0), cqt)


def test_masks_are_bands_of_zeros():
    widths = []
    for seed in range(200):
        masked = mask_frequencies(np.ones((84, 5), np.float32), 1, 24, np.random.default_rng(seed))
        bins = np.flatnonzero(masked.sum(axis=1) == 0)
        assert len(bins) == 0 or np.ptp(bins) == len(bins) - 1
        assert (masked.sum(axis=1) % 5 == 0).all()
        widths.append(len(bins))
    assert set(widths) == set(range(24))


def test_augment_does_what_the_config_says():
    generator = np.random.default_rng(0)
    assert augment(RAMP, AugmentConfig(), generator) is RAMP
    rolled = augment(RAMP, AugmentConfig(roll_bins=12, frequency_masks=2), np.random.default_rng(0))
    assert 0 < (rolled == 0).mean() < 1
    again = augment(RAMP, AugmentConfig(roll_bins=12, frequency_masks=2), np.random.default_rng(0))
    np.testing.assert_array_equal(rolled, again)
