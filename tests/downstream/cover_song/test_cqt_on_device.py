"""The CQT that a GPU computes, against librosa's."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from cover_store import cover_store, polyphony
from s3prl.downstream.cover_song.cqt.cache import CqtCache
from s3prl.downstream.cover_song.cqt.on_device import DeviceCqt
from s3prl.downstream.cover_song.cqt.transform import cqt_columns

from s3prl_pemr.covers import embed
from s3prl_pemr.covers.track import hear
from s3prl_pemr.prepare.datasets.folder import list_folder
from s3prl_pemr.prepare.engine import PROCESSES
from s3prl_pemr.store import AudioStore


@pytest.fixture(scope="module")
def transform():
    return DeviceCqt("cpu")


@pytest.mark.parametrize("samples", [1, 16_384, 31_999, 118_887, 320_000])
@pytest.mark.parametrize("kind", ["music", "noise"])
def test_it_is_librosas(transform, samples, kind):
    if kind == "music":
        wav = polyphony(samples / 16_000, 16_000)
    else:
        wav = (0.1 * np.random.default_rng(samples).standard_normal(samples)).astype(np.float32)
    expected, found = cqt_columns(wav), transform(wav)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    tolerance = 5e-3 if samples > 30_000 else 3e-2  # in one second all is edge, where low-pass filters ring
    assert np.abs(found - expected).max() <= tolerance * expected.max()
    if samples > 30_000:
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9999


def test_a_stores_columns_are_computed_with_it(transform, tmp_path):
    tracks = {f"take{n}": ("work", "train", polyphony(2 + n, 16_000)) for n in range(2)}
    store = AudioStore(cover_store(tmp_path, tracks))
    used = []

    def counted(wav):
        used.append(len(wav))
        return transform(wav)

    cache = CqtCache(store, transform=counted)
    assert used == list(store.length_samples)
    np.testing.assert_allclose(cache.read(0).max(), 1, rtol=1e-3)
    assert CqtCache(store).read(1).shape == cache.read(1).shape  # and are there for others


def test_embed_hears_the_same_with_a_gpu(transform, monkeypatch, tmp_path):
    for number in range(2):
        soundfile.write(tmp_path / f"{number}.wav", polyphony(5 + number, 16_000), 16_000)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    monkeypatch.setattr(embed, "DeviceCqt", lambda device: transform)
    sources = list_folder(tmp_path).sources
    args = SimpleNamespace(engine=PROCESSES, jobs=1)
    found = list(embed._heard(sources, args, "cuda"))
    assert len(found) == 3
    for source, own in found:
        expected = hear(str(source.path))
        assert own.reason == expected.reason
        if expected.wav is not None:
            assert np.array_equal(own.wav, expected.wav)
            np.testing.assert_allclose(own.cqt, expected.cqt, atol=5e-3)
