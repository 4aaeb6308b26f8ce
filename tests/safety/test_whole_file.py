import errno
import os
import time

import pytest
import torch

from s3prl_pemr.safety.whole_file import remove_leftovers, remove_partials, whole_file, write_whole


@pytest.fixture
def full_disk(monkeypatch):
    """Every file that Python opens for writing takes 1000 bytes and is then told that the disk is full."""
    from pathlib import Path

    real = Path.open

    class Full:
        def __init__(self, file):
            self.file, self.taken = file, 0

        def write(self, content):
            self.taken += len(content)
            if self.taken > 1000:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return self.file.write(content)

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *exc_info):
            self.file.close()

    def opened(path, mode="r", **more):
        file = real(path, mode, **more)
        return Full(file) if "w" in mode else file

    monkeypatch.setattr(Path, "open", opened)


def save_tensor(file):
    torch.save({"a": torch.zeros(10_000)}, file)  # hides the error behind a RuntimeError of its own


@pytest.mark.parametrize("write", [save_tensor, lambda file: file.write(b"x" * 2000)])
def test_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path, full_disk, write):
    path = tmp_path / "states-4.ckpt"
    path.write_bytes(b"before")
    with pytest.raises(OSError) as caught, whole_file(path, sync=True) as file:
        write(file)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"before"


def test_an_error_of_the_block_is_itself_and_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "x") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_what_says_the_same_is_left_alone(tmp_path):
    write_whole(tmp_path / "x", b"same")
    before = (tmp_path / "x").stat().st_mtime_ns
    write_whole(tmp_path / "x", b"same")
    assert (tmp_path / "x").stat().st_mtime_ns == before
    write_whole(tmp_path / "x", b"other")
    assert (tmp_path / "x").read_bytes() == b"other"


def test_leftovers_go_and_files_of_the_user_stay(tmp_path):
    ours = [
        "states-4.ckpt.12ab34cd.partial",
        "states-4.ckpt.tmp",
        "log.new",
        "index.tsv.new",
        "scores.json.tmp",
    ]
    others = ["states-4.ckpt", "mine.tmp", "notes.new", "log.jsonl"]
    for name in ours + others:
        (tmp_path / name).touch()
    os.utime(tmp_path / ours[0], (0, time.time() - 100))
    remove_leftovers(tmp_path, older_than_seconds=50)
    assert not (tmp_path / ours[0]).exists() and (tmp_path / ours[1]).exists()
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


def test_what_is_left_of_one_file_goes_and_nothing_else(tmp_path):
    names = ("a[1].npz.0123abcd.partial", "a[1].npz", "b.npz.0123abcd.partial", "log.new")
    left = [tmp_path / name for name in names]
    for path in left:
        path.touch()
    remove_partials(tmp_path / "a[1].npz")
    assert sorted(tmp_path.iterdir()) == sorted(left[1:])


def test_what_is_left_below_a_folder_goes(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c.npz.0123abcd.partial").touch()
    (tmp_path / "a/mine.partial").touch()
    remove_partials(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["mine.partial"]


def test_what_another_process_is_writing_is_no_leftover(tmp_path):
    path = tmp_path / "a.npz"
    with whole_file(path) as file:
        file.write(b"whole")
        remove_partials(path)
    assert path.read_bytes() == b"whole"
