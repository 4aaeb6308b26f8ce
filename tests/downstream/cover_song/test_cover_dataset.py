"""Splits of stores and what the head and the upstream get of them."""

import logging

import numpy as np
import pytest
import torch
from cover_store import cover_store, polyphony, version
from s3prl.downstream.cover_song.config import AugmentConfig, DataConfig
from s3prl.downstream.cover_song.cqt.cache import CqtCache
from s3prl.downstream.cover_song.dataset import UNHEARD, CroppedTracks, WholeTracks
from s3prl.downstream.cover_song.splits import Splits

from s3prl_pemr.store import AudioStore

TONE = polyphony(3, 16_000)


def splits_of(folder, tracks, **datarc):
    return Splits(DataConfig(store=str(cover_store(folder, tracks)), **datarc))


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    """Two versions of two works, 10 to 13 s."""
    tracks = {
        f"{work}_{number}": (str(work), "train", version(work, number, 10 + work + 2 * number))
        for work in (3, 8)
        for number in (0, 1)
    }
    return splits_of(tmp_path_factory.mktemp("dataset"), tracks)["train"]


def cropped(split, cqt, waveforms, windows=0, epoch=0, datarc=None, **augmentrc):
    keys = {"datarc": datarc or DataConfig(), "augmentrc": AugmentConfig(**augmentrc)}
    return CroppedTracks(
        split, [0, 0, 1, 1], cqt, waveforms, 1_600, **keys, windows=windows, seed=0, epoch=epoch
    )


def test_whole_tracks(split):
    cache = CqtCache(split.store)
    tracks = WholeTracks(split, [0, 0, 1, 1], cache, True, 1_600)
    wavs, cqts, classes, names = tracks.collate([tracks[1], tracks[2]])
    assert [len(wav) for wav in wavs] == [int(split.store.length_samples[track]) for track in (1, 2)]
    assert wavs[0].dtype == np.float32
    assert [tuple(cqt.shape) for cqt in cqts] == [(84, int(cache.columns[track])) for track in (1, 2)]
    assert classes.tolist() == [0, 1]
    assert names == ["3_1.wav", "8_0.wav"]


def test_a_head_without_the_upstream_reads_no_audio(split, monkeypatch):
    cache = CqtCache(split.store)
    monkeypatch.setattr(AudioStore, "gather", None)
    tracks = WholeTracks(split, [-1] * 4, cache, False, 1_600)
    wavs, _, _, names = tracks.collate([tracks[0], tracks[3]])
    assert len(wavs) == 1  # one second for the whole batch
    assert wavs[0] is UNHEARD
    assert len(names) == 2


def test_crops(split):
    tracks = cropped(split, CqtCache(split.store), waveforms=True, speed=[1.0, 1.0])
    wavs, cqts, classes, _ = tracks.collate([tracks[0, 15], tracks[3, 15]])
    assert cqts.shape == (2, 84, 15)
    assert [len(wav) for wav in wavs] == [int(split.store.length_samples[track]) for track in (0, 3)]
    whole = CqtCache(split.store).read(0)
    starts = [
        n for n in range(whole.shape[1] - 14) if torch.equal(cqts[0], torch.tensor(whole[:, n : n + 15]))
    ]
    assert len(starts) == 1  # a stretch of the track
    assert classes.tolist() == [0, 1]


def test_a_short_track_ends_in_zeros(split):
    cache = CqtCache(split.store)
    tracks = cropped(split, cache, waveforms=False, speed=[1.0, 1.0])
    cqt = tracks.collate([tracks[0, 40]])[1][0].numpy()
    columns = int(cache.columns[0])
    np.testing.assert_array_equal(cqt[:, :columns], cache.read(0))
    assert not cqt[:, columns:].any()


def test_a_trained_upstream_hears_windows_of_the_crop(split):
    datarc = DataConfig(window_samples=8_000)
    tracks = cropped(split, None, waveforms=True, windows=3, datarc=datarc)
    wavs, cqts, _, names = tracks.collate([tracks[0, 10], tracks[1, 10]])
    assert cqts is None
    assert [len(wav) for wav in wavs] == [8_000] * 6
    whole = split.store.read(0) / np.float32(32_768)
    for wav in wavs[:3]:  # the first track's, then the second's
        places = np.flatnonzero(whole[:-7_999] == wav[0])
        assert any(np.array_equal(wav, whole[place : place + 8_000]) for place in places)
    assert names == ["3_0.wav", "3_1.wav"]


def test_draws_are_of_the_seed_the_epoch_and_the_track(split):
    cache = CqtCache(split.store)
    first, again = (cropped(split, cache, False)[2, 10][1] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, cropped(split, cache, False, epoch=1)[2, 10][1])


@pytest.mark.parametrize(
    ("tracks", "line"),
    [
        (
            {"a": ("w|v", "train", TONE), "b": ("w", "train", TONE)},
            "needs one label .* 1 tracks .* a.wav has 2",
        ),
        ({"a": ("w", "train", TONE), "b": ("", "train", TONE)}, "needs one label .* b.wav has 0"),
        ({"a": ("w", "train", TONE), "b": ("w", "train", TONE)}, r"one work only \('w'\)"),
        ({"a": ("w", "valid", TONE), "b": ("v", "valid", TONE)}, "no track is in the split 'train'"),
    ],
)
def test_what_cannot_be_trained_on_is_one_line(tmp_path, tracks, line):
    splits = splits_of(tmp_path, tracks)
    with pytest.raises(ValueError, match=line) as caught:
        splits.check_training()
    assert "\n" not in str(caught.value)


def test_a_split_of_single_versions_cannot_be_scored(tmp_path):
    splits = splits_of(tmp_path, {"a": ("w", "test", TONE), "b": ("v", "test", TONE)})
    with pytest.raises(ValueError, match="split 'test': none of its 2 tracks has another version"):
        splits.check_retrieval(["test"], against_training=False)


def test_odd_tracks_and_works_are_named_and_counted(tmp_path, caplog):
    silence = np.zeros(48_000, np.float32)
    splits = splits_of(
        tmp_path,
        {
            "a": ("w", "train", TONE),
            "b": ("w", "train", TONE[:20_000]),
            "c": ("17", "train", silence),
            "d": ("w", "valid", TONE),
            "e": ("w", "valid", TONE),
            "f": ("x", "valid", TONE),
        },
    )
    with caplog.at_level(logging.WARNING):
        splits.check_training()
        splits.check_retrieval(["dev"], against_training=True)
    messages = [record.getMessage().split(": ", 1)[1] for record in caplog.records]
    assert messages == [
        "1 of 2 works have one version, nothing to learn their covers from; the first: 17",
        "1 tracks are shorter than 2 s and say little, the first: b.wav",
        "1 tracks are silent and say little, the first: c.wav",
        "recordings that two splits share: 1 in train and valid; for instance a.wav and d.wav",
        "1 works have one version; they are ranked and are no queries",
        "1 works are trained on too: w",
    ]


def test_a_split_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="datarc.store is empty: name the folder"):
        Splits(DataConfig())["train"]
    config = DataConfig(store="S", test_stores={"covers80": "C"})
    assert config.store_and_split("covers80") == ("C", "test")
    with pytest.raises(
        ValueError, match="cover_song has train, dev, test, covers80; .*test_stores.da_tacos=STORE"
    ):
        config.store_and_split("da_tacos")
    with pytest.raises(ValueError, match="test_stores: 'test' is the name of a split"):
        DataConfig(test_stores={"test": "C"})


def test_some_of_the_training_works(tmp_path):
    tracks = {f"{work}_{number}": (f"w{work}", "train", TONE) for work in range(6) for number in (0, 1)}
    tracks["other"] = ("w9", "valid", TONE)
    splits = splits_of(tmp_path, tracks, train_works=2)
    train, store = splits["train"], splits.config.store
    assert len(train.tracks) == 4 and len(set(train.works)) == 2
    assert [train.store.labels[track][0] for track in train.tracks] == train.works
    assert splits["dev"].works == ["w9"]
    assert Splits(DataConfig(store=store, train_works=2))["train"].works == train.works
    others = [
        set(Splits(DataConfig(store=store, train_works=2, works_seed=seed))["train"].works)
        for seed in range(5)
    ]
    assert any(works != set(train.works) for works in others)
    with pytest.raises(ValueError, match="split 'train': train_works is 7, and it has 6 works"):
        Splits(DataConfig(store=store, train_works=7))["train"]
    with pytest.raises(ValueError, match="works_seed must be at least 0"):
        DataConfig(works_seed=-1)
