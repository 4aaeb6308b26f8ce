"""The feature cache: the features of an uncached run, computed once."""

import threading

import numpy as np
import pytest
import torch
from counting_upstream import Counting, cached
from s3prl import hub
from s3prl.upstream.interfaces import Featurizer

from s3prl_pemr.features.cache import FeatureFiles
from s3prl_pemr.features.cached_upstream import CachedUpstream, mean_of_own_frames
from s3prl_pemr.features.identity import file_identity


@pytest.mark.parametrize("name", ["fbank_no_cmvn", "pemr_random"])
def test_features_equal_the_uncached_ones(tmp_path, wavs, name):
    upstream = getattr(hub, name)().eval()
    model, featurizer = cached(tmp_path, upstream)
    with torch.no_grad():
        expected = featurizer(wavs, upstream(wavs))
        first, again = (featurizer(wavs, model(wavs)) for _ in range(2))
    assert (model.misses, model.hits) == (4, 4)
    for one, computed, kept in zip(expected, first, again, strict=True):
        torch.testing.assert_close(computed, one, rtol=1e-4, atol=1e-5)
        assert torch.equal(computed, kept)


def test_a_clip_is_computed_once_whatever_its_batch(tmp_path, wavs):
    upstream = Counting()
    model, _ = cached(tmp_path, upstream)
    upstream.clips = 0
    model(wavs[:3])
    model([wavs[3], wavs[1], wavs[0]])
    assert upstream.clips == 4
    another, _ = cached(tmp_path, Counting())
    another(wavs)
    assert (another.hits, another.misses) == (4, 0)  # another process finds them


def test_pooled_equals_the_mean_of_what_the_featurizer_gives(tmp_path, wavs):
    task = torch.nn.Module()
    task.feature_pooling = "mean"
    upstream = Counting()
    plain = Featurizer(upstream, upstream_device="cpu")
    model, featurizer = cached(tmp_path, upstream, task)
    plain.load_state_dict(featurizer.state_dict())
    expected = [frames.mean(dim=0) for frames in plain(wavs, upstream(wavs))]
    for _ in range(2):
        pooled = featurizer(wavs, model(wavs))
        assert [len(frames) for frames in pooled] == [1] * 4
        for one, mean in zip(expected, pooled, strict=True):
            torch.testing.assert_close(mean[0], one, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "config"), [({"upstream_feature_normalize": True}, {}), ({}, {"specaug": {"freq": 4}})]
)
def test_what_does_not_commute_with_the_mean_keeps_all_frames(tmp_path, wavs, changes, config):
    task = torch.nn.Module()
    task.feature_pooling = "mean"
    model, _ = cached(tmp_path, Counting(), task, config, **changes)
    assert model.pool is None
    assert model(wavs)["hidden_states"][0].shape == (4, 70, 8)


def test_a_trained_upstream_is_refused(tmp_path):
    with pytest.raises(ValueError, match="--feature_cache is for a frozen upstream"):
        cached(tmp_path, Counting(), upstream_trainable=True)


def test_another_checkpoint_has_other_features(tmp_path, wavs):
    folders = []
    for content in (b"one", b"two", b"one"):
        (tmp_path / "weights.ckpt").write_bytes(content)
        model, _ = cached(tmp_path / "cache", Counting(), upstream_ckpt=str(tmp_path / "weights.ckpt"))
        folders.append(model.files.folder)
    assert folders[0] == folders[2] != folders[1]
    other, _ = cached(tmp_path / "cache", Counting(), upstream="another")
    assert other.files.folder not in folders


def test_identity_of_a_folder_changes_with_its_files(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"1")
    before = file_identity(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    assert file_identity(str(tmp_path)) != before
    assert file_identity("https://example.org/x.ckpt") == "https://example.org/x.ckpt"
    assert file_identity(None) is None


def test_writers_at_the_same_time_do_not_disturb_each_other(tmp_path):
    layers = [np.full((500, 64), 3.0, dtype=np.float32)]
    stores = [FeatureFiles(tmp_path, {"a": 1}, 1.0) for _ in range(4)]
    wrong = []

    def work(files):
        for _ in range(30):
            files.write("ab12", layers)
            read = files.read("ab12")
            if read is None or not np.array_equal(read[0], layers[0]):
                wrong.append(read)

    threads = [threading.Thread(target=work, args=(files,)) for files in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert not list(tmp_path.rglob("*.partial"))


def test_mean_of_own_frames_by_hand():
    frames = torch.tensor([[1.0], [3.0], [100.0]])
    pool = mean_of_own_frames(10)
    assert pool(frames, 22).tolist() == [[2.0]]  # round(2.2) = 2 frames
    assert pool(frames, 3).tolist() == [[1.0]]  # one at least


def test_a_run_equals_the_uncached_one(run_downstream, tmp_path):
    flags = ("-m", "train", "-u", "fbank_no_cmvn", "-d", "counting", "-p")
    plain, first, again = (tmp_path / name for name in ("plain", "first", "again"))
    run_downstream(*flags, plain)
    run_downstream(*flags, first, "--feature_cache", tmp_path / "cache", "--feature_cache_gb=2")
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("*.npz")}
    assert len(kept) == 16
    run_downstream(*flags, again, "--feature_cache", tmp_path / "cache")
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("*.npz")} == kept
    expected, *others = (
        torch.load(path / "states-8.ckpt", weights_only=True)["Downstream"] for path in (plain, first, again)
    )
    for other in others:
        for name, weights in expected.items():
            torch.testing.assert_close(other[name], weights, rtol=1e-4, atol=1e-6)


def test_cached_upstream_of_a_single_tensor(tmp_path, wavs):
    class Last(Counting):
        def forward(self, wavs):
            return {"last_hidden_state": super().forward(wavs)["hidden_states"][0]}

    files = FeatureFiles(tmp_path, {}, 1.0)
    model = CachedUpstream(Last(), files, "last_hidden_state", None)
    assert model(wavs)["last_hidden_state"].shape == (4, 70, 8)
