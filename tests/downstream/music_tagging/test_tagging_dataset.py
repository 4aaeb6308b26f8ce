import pickle

import numpy as np
import pytest
import torch
from s3prl.downstream.music_tagging.dataset import Clips, CroppedClips
from s3prl.downstream.music_tagging.labels.targets import multi_hot, tag_names

from s3prl_pemr.features.waveforms import shortest_samples
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.tag_list import write_tags

RATE = 16_000


class Ramp:
    """A stand-in for a store: track t holds the samples t * 1000, t * 1000 + 1, ..."""

    tracks = ["a", "b", "c"]
    length_samples = np.array([500, 100, 2000])

    def read(self, track, start=0, length=None):
        assert 0 <= start <= self.length_samples[track]
        return (1000 * track + np.arange(self.length_samples[track])[start:][:length]).astype(np.int16)


def crops(epoch=0, seed=0, crop_samples=200, order=(0, 1, 2)):
    tracks = np.array(order)
    targets = np.zeros((len(tracks), 1), np.float32)
    return CroppedClips(Ramp(), tracks, targets, 1, crop_samples=crop_samples, seed=seed, epoch=epoch)


def starts(clips):
    return {name: round(float(wav[0]) * 32768) for wav, _, name in (clips[i] for i in range(len(clips)))}


def test_the_targets_are_the_labels_in_the_order_of_the_names(store):
    audio = AudioStore(store)
    assert tag_names(audio) == ["high tone", "low tone", "noise"]
    # all_combinations: bit 0 high tone, bit 1 low tone, bit 2 noise
    expected = [[number & 1, number >> 1 & 1, number >> 2 & 1] for number in range(8)]
    assert multi_hot(audio, range(8), tag_names(audio)).tolist() == expected


def test_whole_clips_as_the_toolkit_wants_them(store):
    audio = AudioStore(store)
    tracks = audio.select("valid")
    clips = Clips(audio, tracks, multi_hot(audio, tracks, tag_names(audio)), shortest_samples(160))
    wav, _, name = clips[3]
    assert (len(clips), name, wav.dtype, wav.shape) == (8, audio.tracks[tracks[3]], np.float32, (RATE,))
    assert np.abs(wav).max() <= 1
    np.testing.assert_array_equal(np.rint(wav * 32768), audio.read(tracks[3]))
    wavs, targets, names = pickle.loads(pickle.dumps(clips)).collate([clips[0], clips[3]])
    assert [len(wav) for wav in wavs] == [RATE, RATE]
    assert (targets.shape, targets.dtype) == ((2, 3), torch.float32)
    assert names == [audio.tracks[tracks[0]], name]


def test_crops_are_of_their_length_and_lie_in_the_clip():
    for epoch in range(50):
        for index, (start, length) in enumerate([(0, 200), (1000, 100), (2000, 200)]):
            wav, _, _ = crops(epoch)[index]
            values = np.rint(wav * 32768).astype(int)
            assert len(values) == length
            assert (np.diff(values) == 1).all()  # one stretch
            assert start <= values[0] and values[-1] < start + Ramp.length_samples[index]


def test_crops_are_drawn_from_seed_epoch_and_track_alone():
    first = starts(crops())
    assert starts(crops(order=(2, 0))) == {name: first[name] for name in "ca"}
    assert starts(crops(epoch=1)) != first != starts(crops(seed=1))
    assert starts(crops(epoch=1))["b"] == first["b"] == 1000  # shorter than a crop: from its start, whole
    assert len({starts(crops(epoch))["c"] for epoch in range(20)}) > 15


def test_both_ends_of_a_clip_are_reached():
    # a clip of 500 samples, crops of 498: starts 0, 1 and 2
    assert {starts(crops(epoch, crop_samples=498))["a"] for epoch in range(40)} == {0, 1, 2}


@pytest.mark.parametrize(
    ("upstream_rate", "expected"),
    [
        (160, 1600),  # 10 ms frames: what fbank and mel need
        (16_384, 8_193),  # PEMR: Python rounds 8,192 / 16,384 to 0 frames
        (16_383, 8_192),
    ],
)
def test_shortest_clip_keeps_a_frame(upstream_rate, expected):
    samples = shortest_samples(upstream_rate)
    assert samples == expected
    assert round(samples / upstream_rate) >= 1


def test_short_clips_are_padded_and_longer_ones_are_not():
    clips = Clips(Ramp(), np.array([0, 2]), np.zeros((2, 1), np.float32), shortest_samples(160))
    wavs, _, _ = clips.collate([clips[0], clips[1]])
    assert [len(wav) for wav in wavs] == [1600, 2000]
    assert not wavs[0][500:].any() and wavs[0][499]


def test_a_list_of_tags_beside_the_store_decides_their_order(store, tmp_path):
    audio = AudioStore(store)
    audio.path = tmp_path
    write_tags(tmp_path, ["noise", "silent type", "low tone", "high tone"])
    assert tag_names(audio) == ["noise", "silent type", "low tone", "high tone"]
    assert multi_hot(audio, [3], tag_names(audio)).tolist() == [[0, 0, 1, 1]]
    write_tags(tmp_path, ["noise", "low tone"])
    with pytest.raises(ValueError, match="the label 'high tone' of clip01.wav is not in its tags.txt; run"):
        multi_hot(audio, range(3), tag_names(audio))
    write_tags(tmp_path, ["noise", "noise"])
    with pytest.raises(ValueError, match="tags.txt: lists 'noise' more than once"):
        tag_names(audio)
