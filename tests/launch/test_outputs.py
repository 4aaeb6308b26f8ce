"""Places that cannot be written are refused before any work."""

import errno
import tempfile

import pytest

from s3prl_pemr.comparison.__main__ import compare, demo
from s3prl_pemr.launch import pretrain
from s3prl_pemr.launch.downstream_arguments import complete_arguments
from s3prl_pemr.launch.outputs import OutputError, check_file, check_folder
from s3prl_pemr.prepare import __main__ as prepare
from s3prl_pemr.prepare.datasets import folder


def test_a_place_that_serves_is_left_as_it_was(tmp_path):
    check_folder(tmp_path, "X")
    check_folder(tmp_path / "new" / "deeper", "X")
    check_file(tmp_path / "file", "X")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for place, line in {
        "file": "X [^ ]*file: not a folder; choose",
        "file/sub/deeper": "X .*deeper: .*file is not a folder",
        "link/sub": "X .*link/sub: .*link is not a folder",
    }.items():
        with pytest.raises(OutputError, match=line) as caught:
            check_folder(tmp_path / place, "X")
        assert "\n" not in str(caught.value)

    def read_only(**_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", read_only)
    with pytest.raises(OutputError, match="X .*new: .* cannot be written .Read-only file system.; choose"):
        check_folder(tmp_path / "new", "X")


@pytest.fixture
def blocked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "result").touch()
    return str(tmp_path / "result" / "x")


def test_prepare(blocked, capsys, monkeypatch):
    monkeypatch.setattr(folder, "run", None)  # not reached
    assert prepare.main(["folder", "SRC", blocked]) == 1
    assert capsys.readouterr().err.startswith(f"prepare: DST {blocked}: ")


@pytest.mark.parametrize("flags", [["-n", "x"], ["-p", "result/x"]])
def test_pretrain(blocked, flags, monkeypatch):
    monkeypatch.setattr(pretrain, "_train", None)  # not reached
    with pytest.raises(SystemExit, match="^error: the experiment's folder result/.*: result is not a folder"):
        pretrain.main(["-u", "pemr", "--device", "cpu", *flags])


@pytest.mark.parametrize("flags", [["-n", "x"], ["-p", "result/x"]])
def test_downstream(blocked, flags):
    command = ["-m", "train", "-u", "pemr_random", "-d", "music_tagging", "--device", "cpu", *flags]
    with pytest.raises(ValueError, match="the experiment's folder result/.*: result is not a folder"):
        complete_arguments(command)


def test_downstream_s_feature_cache(blocked):
    command = ["-m", "train", "-u", "pemr_random", "-d", "music_tagging", "--device", "cpu", "-n", "x"]
    command[-1:] = ["x", "-p", "here", "--feature_cache", blocked]
    with pytest.raises(ValueError, match="^--feature_cache .*: .*result is not a folder"):
        complete_arguments(command)


@pytest.mark.parametrize(
    ("command", "flag", "before"), [(demo, "DEMO", []), (compare, "--out", ["methods_demo", "--out"])]
)
def test_compare_and_demo(blocked, command, flag, before):
    with pytest.raises(SystemExit, match=f"^error: {flag} .*: .*result is not a folder"):
        command([*before, blocked])
