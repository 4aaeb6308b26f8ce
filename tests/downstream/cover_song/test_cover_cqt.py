"""CQT columns against the original features, and their cache beside a store."""

import json
import os
import pickle
import warnings
from types import SimpleNamespace

import librosa
import numpy as np
import pytest
from cover_store import cover_store, polyphony
from full_disk import largest_file
from s3prl.downstream.cover_song.cqt import cache as cqt_cache
from s3prl.downstream.cover_song.cqt import transform
from s3prl.downstream.cover_song.cqt.cache import CqtCache
from s3prl.downstream.cover_song.cqt.transform import CqtSettings, by_peak, column_count, cqt_columns

from s3prl_pemr.audio import INT16_FULL_SCALE
from s3prl_pemr.store import AudioStore


def original_features(wav):
    """gencqt.py of CQTNet on 22,050 Hz audio: librosa's defaults, the mean of 20 frames, the rest dropped."""
    magnitudes = np.abs(librosa.cqt(wav, sr=22_050))
    columns = magnitudes.shape[1] // 20
    return magnitudes[:, : 20 * columns].reshape(84, columns, 20).mean(axis=2)


@pytest.mark.parametrize("seconds", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_the_columns_are_those_of_the_original_features(seconds):
    ours = cqt_columns(polyphony(seconds, 16_000))
    original = original_features(polyphony(seconds, 22_050))
    assert abs(ours.shape[1] - original.shape[1]) <= 1
    columns = min(ours.shape[1], original.shape[1])
    assert np.corrcoef(ours[:, :columns].ravel(), original[:, :columns].ravel())[0, 1] > 0.99
    half = columns // 2  # drift would show at the end
    late = np.corrcoef(ours[:, half:columns].ravel(), original[:, half:columns].ravel())[0, 1]
    assert late > 0.99


@pytest.mark.parametrize("samples", [1, 1_600, 16_000, 31_999, 32_000, 100_000, 118_886, 118_887, 320_000])
def test_any_length_and_its_number_of_columns(samples):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # librosa warns of audio that is shorter than a kernel
        columns = cqt_columns(polyphony(samples / 16_000, 16_000))
    # 29.025 frames of 256 samples each: columns whose last frame is there
    frames = 1 + max(samples, 16_384) // 256
    expected = max(n for n in range(60) if round(29.0249433 * n) <= frames)
    assert columns.shape == (84, expected)
    assert column_count(samples) == expected
    assert np.isfinite(columns).all()


def test_a_long_track_in_pieces(monkeypatch):
    wav = polyphony(60, 16_000)
    whole = cqt_columns(wav)
    monkeypatch.setattr(transform, "PIECE_COLUMNS", 50)
    pieces = cqt_columns(wav)
    assert pieces.shape == whole.shape
    assert not np.array_equal(pieces, whole)  # they were cut
    np.testing.assert_allclose(pieces, whole, atol=1e-4 * whole.max())


def test_a_tone_lies_in_its_bin():
    time = np.arange(80_000) / 16_000
    columns = cqt_columns(np.sin(2 * np.pi * 440.0 * time).astype(np.float32))
    assert (columns[:, 1:-1].argmax(axis=0) == 45).all()  # A4 is 45 semitones above C1


def test_by_peak():
    columns = np.array([[1.0, 4.0], [0.0, 2.0]])
    np.testing.assert_allclose(by_peak(columns), [[0.25, 1.0], [0.0, 0.5]], atol=1e-6)
    assert not by_peak(np.zeros((84, 3))).any()


@pytest.fixture
def store(tmp_path):
    lengths = (1.0, 7.5, 3.0, 20.0)
    return AudioStore(
        cover_store(
            tmp_path, {f"t{n}": ("work", "train", polyphony(s, 16_000)) for n, s in enumerate(lengths)}
        )
    )


def expected(store, track):
    return by_peak(cqt_columns(store.read(track).astype(np.float32) / INT16_FULL_SCALE))


def test_the_cache_gives_every_track_its_columns(store):
    cache = CqtCache(store)
    for track in range(len(store)):
        np.testing.assert_allclose(cache.read(track), expected(store, track), atol=5e-4)  # float16
    np.testing.assert_array_equal(cache.read(3, 5, 10), cache.read(3)[:, 5:15])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(cache)).read(1), cache.read(1))  # for workers
    assert cache.read(3, 40, 10).shape == (84, int(cache.columns[3]) - 40)
    assert cache.read(1).max() == pytest.approx(1.0, abs=1e-3)


def test_it_is_computed_once_and_goes_on_where_it_was_interrupted(store, monkeypatch):
    computed = []

    def stop_at_third(track):
        if len(computed) == 2:
            raise KeyboardInterrupt
        computed.append(track.name)
        return real(track)

    real = cqt_cache._compute
    monkeypatch.setattr(cqt_cache, "_compute", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        CqtCache(store)
    with (store.path / "cqt" / "columns.f16").open("ab") as file:
        file.write(b"half a track")  # as a kill would leave it
    monkeypatch.setattr(cqt_cache, "_compute", lambda track: computed.append(track.name) or real(track))
    cache = CqtCache(store)
    assert computed == list(store.tracks)  # none twice
    for track in range(len(store)):
        np.testing.assert_allclose(cache.read(track), expected(store, track), atol=5e-4)
    CqtCache(store)
    assert len(computed) == 4


def test_workers_give_the_same(store, monkeypatch):
    alone = [CqtCache(store).read(track) for track in range(4)]
    for file in (store.path / "cqt").iterdir():
        file.unlink()
    monkeypatch.setattr(cqt_cache, "INLINE_TRACKS", 1)
    together = CqtCache(store, jobs=2)
    for track in range(4):
        np.testing.assert_array_equal(together.read(track), alone[track])


def test_another_setting_and_other_audio_are_refused_by_name(store):
    CqtCache(store)
    with pytest.raises(ValueError, match="cqt: computed with hop_samples 256, this run needs 512; delete"):
        CqtCache(store, settings=CqtSettings(hop_samples=512))
    store.fingerprint = "other"
    with pytest.raises(ValueError, match="cqt: computed with audio .*, this run needs other; delete"):
        CqtCache(store)


def test_damage_is_one_line(store):
    CqtCache(store)
    with (store.path / "cqt" / "columns.f16").open("r+b") as file:
        file.truncate(100)
    with pytest.raises(ValueError, match="columns.f16: 100 bytes instead of .*; delete"):
        CqtCache(store)
    (store.path / "cqt" / "cqt.json").write_text("{")
    with pytest.raises(ValueError, match="cqt.json: damaged; delete"):
        CqtCache(store)
    (store.path / "cqt" / "cqt.json").write_text(json.dumps({}))
    with pytest.raises(ValueError, match="computed with sample_rate None"):
        CqtCache(store)


def test_a_folder_that_cannot_be_written_is_one_line(store):
    (store.path / "cqt").write_text("in the way")
    with pytest.raises(ValueError, match="cqt: the CQT columns are kept there, and it cannot be written"):
        CqtCache(store)


def test_a_disk_too_small_is_said_before_any_work(store, monkeypatch):
    monkeypatch.setattr(cqt_cache, "_compute", None)  # not reached
    monkeypatch.setattr(cqt_cache.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(
        ValueError, match=r"cqt: the CQT columns need 0\.\d MB more and 0.0 MB are free; make room"
    ):
        CqtCache(store)


def test_a_full_disk_keeps_whole_tracks_and_goes_on(store, monkeypatch):
    whole = [CqtCache(store).read(track) for track in range(4)]
    size = (store.path / "cqt" / "columns.f16").stat().st_size
    for file in (store.path / "cqt").iterdir():
        file.unlink()
    monkeypatch.setattr(cqt_cache, "COMMIT_SECONDS", 0)
    with largest_file(size - 100), pytest.raises(ValueError) as caught:
        CqtCache(store)
    assert "columns.f16: File too large; the CQT columns of 3 of 4 tracks are kept: make room" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)
    state = json.loads((store.path / "cqt" / "cqt.json").read_text())
    kept = (store.path / "cqt" / "columns.f16").stat().st_size
    assert (state["tracks"], kept) == (3, 168 * sum(columns.shape[1] for columns in whole[:3]))
    again = CqtCache(store)
    for track in range(4):
        np.testing.assert_array_equal(again.read(track), whole[track])


def test_columns_cut_off_while_they_are_read_are_an_error_and_no_signal(store):
    cache = CqtCache(store)
    os.truncate(cache.folder / "columns.f16", 100)
    with pytest.raises(ValueError, match=r"columns.f16: has been cut off since; delete .*cqt"):
        cache.read(3)
