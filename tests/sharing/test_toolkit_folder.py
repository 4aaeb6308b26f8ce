"""A shared folder through s3prl's own --hub huggingface, its download replaced by the folder."""

import sys
from argparse import Namespace
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub.utils import LocalEntryNotFoundError
from s3prl import hub
from s3prl.downstream.runner import Runner

import s3prl_pemr
from s3prl_pemr.__main__ import main
from s3prl_pemr.loops.hub_repository import repository_folder

WAVS = [torch.randn(n, generator=torch.Generator().manual_seed(n)) for n in (40_000, 17_000)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Made by one command; what importing its expert.py leaves behind is undone."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "expert", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["export", "pemr", "mine"]) == 0
    yield tmp_path / "mine"
    sys.modules.pop("expert", None)


def as_in_the_cache(folder):
    """As the hub's cache holds it: links to files of other names in another folder."""
    snapshot, blobs = folder.parent / "snapshots" / "main", folder.parent / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for number, path in enumerate(sorted(folder.iterdir())):
        path.rename(blobs / str(number))
        (snapshot / path.name).symlink_to(blobs / str(number))
    return snapshot


def test_s3prls_own_runner_loads_it(folder, monkeypatch, capsys):
    asked = []
    snapshot = as_in_the_cache(folder)

    def downloaded(repository, *given, **named):
        asked.append(repository)
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", downloaded)
    runner = object.__new__(Runner)
    runner.init_ckpt = {}
    runner.args = Namespace(
        from_hf_hub=True, upstream="me/mine", upstream_revision=None, upstream_model_name="model.pt",
        upstream_model_config=None, upstream_refresh=False, upstream_trainable=False, device="cpu",
    )  # fmt: skip
    upstream = runner._get_upstream().model
    assert asked == ["me/mine"]
    assert f"0. s3prl-pemr>={s3prl_pemr.__version__}" in capsys.readouterr().out
    assert upstream.get_downsample_rates("hidden_states") == 16_384
    with torch.no_grad():
        found, expected = upstream(WAVS), hub.pemr()(WAVS)
    torch.testing.assert_close(found["last_hidden_state"], expected["last_hidden_state"], rtol=0, atol=0)


def test_our_command_trains_a_head_on_a_folder(folder, run_downstream):
    run_downstream("-m", "train", "--hub", "huggingface", "-u", "mine", "-d", "counting", "-n", "a")
    states = torch.load("result/downstream/a/dev-best.ckpt", weights_only=True)
    assert states["Args"].upstream == "mine" and states["Args"].from_hf_hub
    run_downstream("-m", "evaluate", "-e", "result/downstream/a/dev-best.ckpt")


def test_of_a_repository_the_wanted_revision_is_downloaded(folder):
    asked = []

    def download(repository, revision):
        asked.append((repository, revision))
        return "mine"

    assert repository_folder(download, "me/mine", "v1") == str(folder)
    assert asked == [("me/mine", "v1")]
    assert repository_folder(download, "mine") == str(folder) and len(asked) == 1


def test_what_cannot_be_had_or_is_no_such_folder_is_one_line(folder, tmp_path):
    def offline(repository, revision):
        raise LocalEntryNotFoundError("cannot find\nthe requested files")

    with pytest.raises(
        ValueError, match="-u me/x: no folder, nor to be had: cannot find the requested files"
    ):
        repository_folder(offline, "me/x")
    Path("mine/expert.py").unlink()
    with pytest.raises(
        ValueError, match=r"-u mine: holds no expert.py; `s3prl-pemr export CKPT FOLDER` writes"
    ):
        repository_folder(offline, "mine")
