"""The feature cache: the features of an uncached run, computed once."""

import errno
import logging
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from full_disk import largest_file
from s3prl import hub
from s3prl.upstream.interfaces import Featurizer

from s3prl_pemr.features.attach import CacheArguments, cached_upstream
from s3prl_pemr.features.cache import STALE_SECONDS, FeatureFiles
from s3prl_pemr.features.cached_upstream import CachedUpstream, mean_of_own_frames
from s3prl_pemr.features.identity import file_identity
from s3prl_pemr.safety.whole_file import whole_file

LENGTHS = (40_000, 9_000, 16_384, 70_001)


@pytest.fixture
def wavs():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(n, generator=generator) * 0.1 for n in LENGTHS]


class Counting(torch.nn.Module):
    """An upstream of two layers that counts the clips it is asked for."""

    def __init__(self):
        super().__init__()
        self.clips = 0

    def get_downsample_rates(self, key):
        return 1_000

    def forward(self, wavs):
        self.clips += len(wavs)
        blocks = torch.nn.utils.rnn.pad_sequence(wavs, batch_first=True).unfold(1, 1_000, 1_000)
        return {"hidden_states": [blocks[..., :8], blocks[..., 8:16].abs()]}


def arguments(**changes):
    args = {
        "upstream": "counting", "upstream_ckpt": None, "upstream_model_config": None,
        "upstream_trainable": False, "upstream_feature_normalize": False,
    }  # fmt: skip
    return SimpleNamespace(**args | changes)


def cached(folder, model, task=None, config=None, max_gigabytes=1.0, **changes):
    featurizer = Featurizer(model, upstream_device="cpu")
    if hasattr(featurizer, "weights"):
        torch.nn.init.normal_(featurizer.weights)
    cache = CacheArguments(str(folder), max_gigabytes)
    model = cached_upstream(
        arguments(**changes), config or {}, model, featurizer, task or torch.nn.Module(), cache
    )
    return model, featurizer


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


def test_a_damaged_file_is_computed_anew(tmp_path, wavs):
    upstream = Counting()
    model, _ = cached(tmp_path, upstream)
    expected = model(wavs)["hidden_states"][0]
    files = sorted(tmp_path.rglob("*.npz"))
    files[0].write_bytes(files[0].read_bytes()[:50])
    files[1].write_bytes(b"")
    again, _ = cached(tmp_path, upstream)
    assert torch.equal(again(wavs)["hidden_states"][0], expected)
    assert (again.hits, again.misses) == (2, 2)
    assert again(wavs) and again.misses == 2  # mended


def test_a_kill_while_writing_leaves_no_file_to_read(tmp_path, wavs, monkeypatch):
    model, _ = cached(tmp_path, Counting())

    def killed(file, *layers):
        file.write(b"PK half of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", killed)
        with pytest.raises(KeyboardInterrupt):
            model(wavs[:1])
    assert not list(tmp_path.rglob("*.npz"))
    model(wavs[:1])
    assert len(list(tmp_path.rglob("*.npz"))) == 1


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


def test_a_full_cache_says_so_once_and_goes_on(tmp_path, wavs, caplog):
    # float32, 2 layers of 40 + 9 + 16 + 70 blocks of 8 values: 40 blocks are 2,560 bytes
    caplog.set_level(logging.WARNING)
    model, _ = cached(tmp_path, Counting(), max_gigabytes=5_000e-9)
    for _ in range(2):
        model(wavs)
    assert caplog.text.count("is full") == 1
    assert "raise --feature_cache_gb" in caplog.text
    assert model.hits == 3  # 2,560 + 576 + 1,024 fit, 4,480 do not
    assert sum(file.stat().st_size for file in tmp_path.rglob("*.npz")) < 8_000


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


@pytest.mark.parametrize("refused", ["identity.json", ".npz"])
def test_a_disk_that_is_full_is_said_once_and_the_run_goes_on(tmp_path, wavs, caplog, refused, monkeypatch):
    open_file = Path.open

    def full(path, *args, **kwargs):
        if refused in path.name and "w" in str(args):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return open_file(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", full)
    upstream = Counting()
    model, featurizer = cached(tmp_path, upstream)
    for _ in range(2):
        assert len(featurizer(wavs, model(wavs))) == len(wavs)
    (line,) = [record.getMessage() for record in caplog.records if "feature cache" in record.getMessage()]
    assert "cannot be written (No space left on device): further clips are computed each time" in line
    assert (model.hits, model.misses) == (0, 8)
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".npz", ".partial")]


def test_clips_that_fit_no_more_are_computed(tmp_path, caplog):
    files = FeatureFiles(tmp_path, {}, 1.0)
    files.write("aa", [np.zeros(100, np.float32)])
    with largest_file(5_000):
        files.write("bb", [np.zeros(5_000, np.float32)])
        files.write("cc", [np.zeros(5_000, np.float32)])
    assert caplog.text.count("cannot be written (File too large)") == 1
    assert files.read("aa")[0].shape == (100,)
    assert files.read("bb") is None
    assert not list(tmp_path.rglob("*.partial"))


def test_a_real_full_disk_under_a_run(run_downstream, small_disk, tmp_path, caplog):
    cache = small_disk / "cache"
    cache.mkdir()
    (small_disk / "others").write_bytes(bytes((1 << 20) - (40 << 10)))
    flags = ("-m", "train", "-u", "fbank_no_cmvn", "-d", "counting", "-p", tmp_path / "exp")
    run_downstream(*flags, "--feature_cache", cache)
    assert caplog.text.count("cannot be written (No space left on device)") == 1
    assert (tmp_path / "exp" / "states-8.ckpt").is_file()
    assert list(cache.rglob("*.npz"))
    assert not list(cache.rglob("*.partial"))


def test_what_killed_runs_left_is_removed_and_what_others_may_write_counts(tmp_path):
    FeatureFiles(tmp_path, {}, 1.0).write("aa", [np.zeros(100, np.float32)])
    (folder,) = (path.parent for path in tmp_path.rglob("aa.npz"))
    (folder / "0123.partial").write_bytes(bytes(700))  # by the name that 0.1.0 gave it
    (folder / "bb.npz.0123abcd.partial").write_bytes(bytes(7_000))  # nobody holds its lock
    whole = (folder / "aa.npz").stat().st_size
    with whole_file(folder / "cc.npz") as file:
        file.write(bytes(70))
        file.flush()
        assert FeatureFiles(tmp_path, {}, 1.0).bytes == whole + 770
    (folder / "cc.npz").unlink()
    os.utime(folder / "0123.partial", (time.time() - 2 * STALE_SECONDS,) * 2)
    assert FeatureFiles(tmp_path, {}, 1.0).bytes == whole
    assert [path.name for path in folder.iterdir()] == ["aa.npz"]
