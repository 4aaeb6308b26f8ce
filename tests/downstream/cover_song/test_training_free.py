"""Fourier magnitudes and alignments: by hand, and against plain numpy."""

import numpy as np
import pytest
import torch
from s3prl.downstream.cover_song.training_free.alignment import align, transpositions
from s3prl.downstream.cover_song.training_free.chroma import unit_chroma
from s3prl.downstream.cover_song.training_free.fourier import FourierMagnitudes, fourier_magnitudes


@pytest.fixture
def chroma():
    return np.random.default_rng(0).random((12, 40))


def test_unit_chroma_by_hand():
    cqt = np.zeros((84, 2))
    cqt[[0, 12], 0] = 1.0, 4.0  # two Cs: 1 + 2
    cqt[4, 0] = 16.0  # an E: 4
    found = unit_chroma(cqt)
    assert found[[0, 4], 0] == pytest.approx([0.6, 0.8])  # 3 and 4 of 5
    assert not found[:, 1].any()


def test_fourier_magnitudes_are_those_of_numpy(chroma):
    patches = [np.abs(np.fft.fft2(chroma[:, start : start + 16])) for start in range(0, 25, 2)]
    expected = np.sqrt(np.sort(patches, axis=0)[(len(patches) - 1) // 2])  # torch's median of an odd number
    found = fourier_magnitudes(torch.from_numpy(chroma))
    np.testing.assert_allclose(found, expected.ravel(), atol=1e-12)


def test_another_key_is_the_same(chroma):
    found = fourier_magnitudes(torch.from_numpy(chroma))
    other = fourier_magnitudes(torch.from_numpy(np.roll(chroma, 5, axis=0)))
    torch.testing.assert_close(found, other)


def test_the_embedding_does_not_hear_silence_behind_a_track():
    network = FourierMagnitudes()
    cqt = torch.rand(2, 1, 84, 50)
    padded = torch.nn.functional.pad(cqt, (0, 150))
    torch.testing.assert_close(network(padded), network(cqt))
    assert network(cqt[..., :3]).isfinite().all()  # shorter than a patch
    assert network(torch.zeros(1, 1, 84, 20)).isfinite().all()


def test_a_version_is_aligned_where_it_is(chroma):
    track = np.random.default_rng(1).random((12, 90)) ** 3
    version = np.roll(track[:, 30:70], 4, axis=0)
    found = align(track, version, path=True)
    assert found.semitones == 8
    np.testing.assert_array_equal(found.path[:, 0] - found.path[:, 1], 30)
    assert found.tempo_ratio == 1.0
    assert found.similarity.shape == (88, 38)
    # 38 columns, nearly all of which recur, over the root of the shorter one's
    assert 30 / np.sqrt(38) < found.score <= np.sqrt(38)
    assert align(track, np.random.default_rng(2).random((12, 40))).score < 0.6 * found.score


def test_a_faster_version_has_another_tempo():
    track = np.repeat(np.random.default_rng(3).random((12, 30)) ** 3, 4, axis=1)
    found = align(track, track[:, ::2], path=True)
    assert found.tempo_ratio == pytest.approx(0.5, abs=0.05)


def test_transpositions_by_hand():
    first = np.zeros((12, 3))
    first[0] = 1.0
    second = np.roll(first, 7, axis=0)
    assert transpositions(first, second)[0] == 5  # a fifth above, rolled up by a fourth


def test_silence_and_short_tracks_can_be_aligned():
    assert np.isfinite(align(np.zeros((12, 20)), np.zeros((12, 1)), path=True).score)
