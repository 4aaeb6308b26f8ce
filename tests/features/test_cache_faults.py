"""The feature cache on a disk that is full, and with files that are damaged, half-written or stale."""

import errno
import logging
import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from counting_upstream import Counting, cached
from full_disk import largest_file

from s3prl_pemr.features.cache import STALE_SECONDS, FeatureFiles
from s3prl_pemr.safety.whole_file import whole_file


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
