"""Crops, order and draws: keyed by seed, epoch and track, the same for any number of processes."""

import numpy as np
import pytest
import torch
from s3prl.pretrain.augment import AugmentConfig
from s3prl.pretrain.crops.dataset import CropPairs, DataConfig, EpochBatches
from s3prl.pretrain.crops.randomness import crop_generator, order_generator
from s3prl.pretrain.pemr.corruption import CorruptionConfig

from s3prl_pemr.store import AudioStore

CROP = 8_000


def crop_pairs(store, **settings):
    config = DataConfig(**{"store": store, "train_batch_size": 4, "crop_samples": CROP, "seed": 3} | settings)
    return CropPairs(AudioStore(store), config, AugmentConfig(), CorruptionConfig(), 16_000, 128)


def test_crops_are_stretches_of_their_track(store):
    pairs = crop_pairs(store)
    batch = pairs.__getitems__([(0, 5), (0, 2)])
    assert batch.crops.shape == (4, CROP)
    assert batch.corruption.masked.shape == (4, 63)  # ceil(8000 / 128)
    for row, track in enumerate([5, 2, 5, 2]):
        windows = np.lib.stride_tricks.sliding_window_view(pairs.store.read(track), CROP)
        assert (windows == batch.crops[row].numpy()).all(axis=1).any()
    assert not torch.equal(batch.crops[0], batch.crops[2])  # two crops of one track


def test_draws_depend_on_seed_epoch_and_track_only(store):
    def crops(key, mates=(), seed=3):
        batch = crop_pairs(store, seed=seed).__getitems__([key, *mates])
        return batch.crops[0], batch.corruption.source[0], batch.draws.pitch_cents[0]

    base = crops((1, 4))
    for one, other in zip(base, crops((1, 4), mates=[(1, 6), (1, 0)]), strict=True):
        assert torch.equal(one, other)
    for changed in (crops((2, 4)), crops((1, 4), seed=4)):
        assert not torch.equal(base[0], changed[0])
        assert not torch.equal(base[1], changed[1])


def test_short_tracks_are_padded_and_named(store, caplog):
    pairs = crop_pairs(store, crop_samples=20_000)
    short = [i for i, n in enumerate(pairs.store.length_samples) if n < 20_000]
    assert short
    assert f"{len(short)} tracks are shorter than a crop" in caplog.text
    assert pairs.store.tracks[short[0]] in caplog.text
    crop = pairs.__getitems__([(0, short[0])]).crops[0]
    length = pairs.store.length_samples[short[0]]
    assert np.array_equal(crop[:length].numpy(), pairs.store.read(short[0]))
    assert (crop[length:] == 0).all()


def test_a_front_end_of_another_rate_is_refused(store):
    config = DataConfig(store=store, train_batch_size=4, crop_samples=CROP)
    with pytest.raises(ValueError, match="is at 16000 Hz, the model's front end at 44100"):
        CropPairs(AudioStore(store), config, AugmentConfig(), CorruptionConfig(), 44_100, 128)


def test_an_epoch_is_every_track_once_in_another_order():
    batches = EpochBatches(np.arange(14), batch_size=4, seed=0)
    assert len(batches) == 3
    first, second = list(batches), list(batches)
    assert {epoch for batch in first for epoch, _ in batch} == {0}
    assert {epoch for batch in second for epoch, _ in batch} == {1}
    tracks = [track for batch in first for _, track in batch]
    assert len(set(tracks)) == 12  # the last 2 do not fill a batch
    assert tracks != [track for batch in second for _, track in batch]


def test_an_epoch_can_begin_in_the_middle():
    whole = list(EpochBatches(np.arange(14), 4, seed=0))
    resumed = EpochBatches(np.arange(14), 4, seed=0)
    resumed.first_batch = 2
    assert list(resumed) == whole[2:]
    assert (resumed.epoch, resumed.first_batch) == (1, 0)


def test_processes_share_a_batch():
    whole = list(EpochBatches(np.arange(14), 4, seed=0))
    shares = [list(EpochBatches(np.arange(14), 4, seed=0, rank=rank, world_size=2)) for rank in (0, 1)]
    assert [a + b for a, b in zip(*shares, strict=True)] == whole
    with pytest.raises(ValueError, match="train_batch_size 4 is not a multiple of 3 processes"):
        EpochBatches(np.arange(14), 4, seed=0, world_size=3)
    with pytest.raises(ValueError, match="train_batch_size 4 leaves each of 4 processes one clip"):
        EpochBatches(np.arange(14), 4, seed=0, world_size=4)


def test_keys_of_different_purpose_or_length_do_not_collide():
    draws = [
        generator.integers(2**62)
        for generator in (
            order_generator(0, 0), order_generator(0, 1), order_generator(1, 0), crop_generator(0, 0, 0, 0),
            crop_generator(0, 0, 0, 1), crop_generator(0, 0, 1, 0), crop_generator(0, 1, 0, 0),
        )
    ]  # fmt: skip
    assert len(set(draws)) == len(draws)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"store": ""}, "store is empty: name the folder"),
        ({"train_batch_size": 1}, "train_batch_size 1: the losses compare clips, at least 2"),
        ({"train_batch_size": 64}, "14 tracks, fewer than train_batch_size 64"),
        ({"split": "dev"}, "dev"),
    ],
)
def test_what_cannot_be_trained_on_is_said_in_one_line(store, settings, message):
    with pytest.raises(ValueError, match=message) as error:
        crop_pairs(**{"store": store} | settings)
    assert "\n" not in str(error.value)
