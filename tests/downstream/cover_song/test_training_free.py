"""Fourier magnitudes and alignments: by hand, and against plain numpy."""

import numpy as np
import pytest
import torch
from s3prl.downstream.cover_song.config import HeadConfig
from s3prl.downstream.cover_song.ranking.cosine import scores_from_embeddings
from s3prl.downstream.cover_song.training_free.alignment import align, mutual_nearest, transpositions
from s3prl.downstream.cover_song.training_free.chroma import tonal_chroma
from s3prl.downstream.cover_song.training_free.fourier import (
    SPEEDS,
    WIDTH,
    FourierMagnitudes,
    at_speed,
    fourier_magnitudes,
    mean_magnitudes,
)
from s3prl.downstream.cover_song.training_free.rerank import by_alignment, reranked


@pytest.fixture
def chroma():
    drawn = np.random.default_rng(0).random((12, 40)) ** 3
    return drawn / np.linalg.norm(drawn, axis=0)


def test_chroma_by_hand():
    cqt = np.zeros((84, 1))
    cqt[40] = 2.0  # alone: log(101) less a seventh of it; 40 = 3 * 12 + 4
    cqt[5] = 1.0  # below C2: left out
    cqt[80] = 1.0  # above B6
    np.testing.assert_allclose(tonal_chroma(cqt)[:, 0], np.eye(12)[4], atol=1e-6)
    cqt[43] = 2.0  # within three semitones of each other: both lose two sevenths and stay alike
    np.testing.assert_allclose(tonal_chroma(cqt)[[4, 7], 0], [0.5**0.5] * 2, atol=1e-6)
    assert not tonal_chroma(np.full((84, 3), 0.7)).any()  # no bin stands out
    assert not tonal_chroma(np.zeros((84, 3))).any()


def test_magnitudes_are_those_of_numpy_written_out(chroma):
    magnitudes = []
    for start in (0, 2, 4, 6, 8):  # every second of the 9 patches of 32 columns
        patch, transform = chroma[:, start : start + 32], np.zeros((12, 17), complex)
        for k, w in np.ndindex(12, 17):
            turns = np.exp(-2j * np.pi * (k * np.arange(12)[:, None] / 12 + w * np.arange(32) / 32))
            transform[k, w] = (patch * turns).sum()
        magnitudes.append(np.abs(transform))
    np.testing.assert_allclose(mean_magnitudes(chroma), np.mean(magnitudes, axis=0), atol=1e-10)


def test_a_cosine_is_that_of_whole_transforms_at_all_speeds(chroma):
    def whole(chroma):
        total = 0
        for speed in SPEEDS:
            played = at_speed(chroma, speed)
            played = np.pad(played, ((0, 0), (0, max(32 - played.shape[1], 0))))
            starts = range(0, played.shape[1] - 31, 2)
            patches = [np.abs(np.fft.fft2(played[:, start : start + 32])) for start in starts]
            total = total + np.sqrt(np.mean(patches, axis=0)).ravel()
        return total / np.linalg.norm(total)

    other = np.random.default_rng(1).random((12, 70)) ** 3
    expected = whole(chroma) @ whole(other)
    assert fourier_magnitudes(chroma) @ fourier_magnitudes(other) == pytest.approx(expected, abs=1e-6)
    assert fourier_magnitudes(chroma).shape == (WIDTH,)


def test_another_key_is_the_same_and_another_tempo_little_else():
    one, other = (np.random.default_rng(seed).random((12, 30)).repeat(4, axis=1) ** 6 for seed in (1, 2))
    found = fourier_magnitudes(one)
    np.testing.assert_allclose(fourier_magnitudes(np.roll(one, 5, axis=0)), found, atol=1e-6)
    faster, other = at_speed(one, 1.1), at_speed(other, 1.1)
    assert faster.shape == (12, 109)
    assert found @ fourier_magnitudes(faster) > found @ fourier_magnitudes(other)


def test_at_speed_by_hand():
    track = np.zeros((12, 4))
    track[0], track[1] = [1, 0, 1, 0], [0, 1, 0, 1]
    # twice as fast: places 0.5 and 2.5, half of each neighbour, brought to unit length
    np.testing.assert_allclose(at_speed(track, 2.0)[:2], np.full((2, 2), 0.5**0.5))


def test_mutual_nearest_by_hand():
    similarity = np.array([[9.0, 1, 2], [8, 7, 3], [1, 2, 6]])
    # 8 is the largest of its row and not of its column, 7 the other way round
    np.testing.assert_array_equal(mutual_nearest(similarity, 0.0), np.diag([True, False, True]))


def test_the_score_is_that_of_the_recurrence_written_out(chroma):
    """Q(i, j) of Serra et al. from the diagonal and the two knights' moves; a gap costs 1."""
    found = align(chroma, np.roll(at_speed(chroma, 0.8), 2, axis=0), path=True)
    recurs, best = found.similarity, np.zeros(found.similarity.shape)
    for i, j in np.ndindex(best.shape):
        before = [best[i - a, j - b] for a, b in ((1, 1), (2, 1), (1, 2)) if i >= a and j >= b]
        best[i, j] = (
            max(before, default=0) + 1 if recurs[i, j] else max([score - 1 for score in before] + [0])
        )
    assert found.semitones == 10
    assert found.score == pytest.approx(best.max() / np.sqrt(min(best.shape)))


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
    assert found.stretches == ((30, 70), (0, 40))
    assert found.similarity.shape == (86, 36)
    # all 36 columns recur, over the root of the shorter one's
    assert found.score == pytest.approx(np.sqrt(36))
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


def music(seed):
    """Random chords of two columns each."""
    drawn = np.random.default_rng(seed).random((12, 40)).repeat(2, axis=1) ** 6
    return drawn / np.linalg.norm(drawn, axis=0)


def test_what_is_aligned_stands_above_all_that_is_not():
    song = music(5)
    cosines, chromas = (
        np.array([0.9, 0.8, 0.99, -np.inf]),
        [music(6), np.roll(song, 3, axis=0), music(7), song],
    )
    found = reranked(cosines, song, chromas, candidates=3)
    assert found.argmax() == 1 and found[3] == -np.inf
    assert found[1] == pytest.approx(2 + 0.8 + 0.3 * np.sqrt(76))  # all of its 76 columns recur
    found = reranked(cosines, song, chromas, candidates=2)
    assert found[1] == 0.8 and min(found[0], found[2]) > 2


def test_rankings_go_by_what_was_aligned():
    chromas = [music(0), music(1), np.roll(music(0), 2, axis=0), np.roll(music(1), 1, axis=0)]
    embeddings, works = np.array([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]]), [0, 1, 0, 1]
    assert scores_from_embeddings(embeddings, works).average_precision.mean() < 0.6
    scores = scores_from_embeddings(embeddings, works, rerank=by_alignment(chromas, 3))
    assert scores.average_precision.mean() == 1
    assert by_alignment(chromas, 0) is None and by_alignment([], 3) is None


def test_candidates_want_a_head_that_hears_the_cqt():
    with pytest.raises(ValueError, match="rerank is a number of candidates"):
        HeadConfig(kind="upstream", rerank=5)
    with pytest.raises(ValueError, match="rerank is a number of candidates"):
        HeadConfig(rerank=-1)
