"""No file that is opened runs a program: each is refused in one line, or not read."""

import functools
import http.server
import threading
from argparse import Namespace

import numpy as np
import pytest
import torch
from hostile import archive, arrays, bare_pickle, is_armed, old_pickle
from s3prl import hub
from s3prl.downstream.cover_song.head_state import read_published_weights
from s3prl.pretrain.training.initial_weights import take_initial_weights
from s3prl.upstream.adapter.checkpoint import read_checkpoint

from s3prl_pemr.__main__ import main
from s3prl_pemr.covers.index import read_index
from s3prl_pemr.covers.model import open_model
from s3prl_pemr.features.cache import FeatureFiles
from s3prl_pemr.loops.upstream_file import kept_file
from s3prl_pemr.task.upstream_heard import upstream_heard

WRITERS = [archive, old_pickle, bare_pickle]
CONTENT = {"Method": "pemr", "Upstream_Config": {}, "Upstream": {}, "Step": 1, "Config": {}, "Heard": {}}
TRAIN = ["downstream", "-m", "train", "--device", "cpu", "-u", "fbank_no_cmvn", "-d", "music_tagging"]


@pytest.fixture(params=WRITERS, ids=lambda write: write.__name__)
def hostile(request, tmp_path):
    path = tmp_path / "states-1.ckpt"
    request.param(path, tmp_path / "mark", CONTENT)
    assert is_armed(path)
    yield path
    assert not (tmp_path / "mark").exists()


def test_the_payload_works(tmp_path):
    for write in WRITERS:
        write(tmp_path / "x.ckpt", tmp_path / write.__name__, CONTENT)
        if write is not bare_pickle:
            torch.load(tmp_path / "x.ckpt", weights_only=False)
            assert (tmp_path / write.__name__).exists()
    arrays(tmp_path / "x.npz", tmp_path / "arrays", {})
    np.load(tmp_path / "x.npz", allow_pickle=True)["payload"]
    assert (tmp_path / "arrays").exists()


@pytest.mark.parametrize(
    "open_it",
    [
        read_checkpoint,
        functools.partial(take_initial_weights, None),
        lambda path: hub.pemr(ckpt=str(path)),
        lambda path: hub.byol_a_local(ckpt=str(path)),
        lambda path: read_published_weights(str(path)),
        lambda path: open_model(str(path)),
        read_index,
    ],
)
def test_what_opens_a_file_of_weights(hostile, open_it):
    with pytest.raises(ValueError) as caught:
        open_it(hostile)
    assert "\n" not in str(caught.value)


def test_what_looks_at_any_upstreams_file(hostile):
    assert upstream_heard(str(hostile)) is None
    assert kept_file(Namespace(upstream_ckpt=str(hostile)), {}) is None


@pytest.mark.parametrize(
    "words",
    [
        ["pretrain", "-u", "pemr", "-a", "--device", "cpu", "-p", "FOLDER"],
        ["pretrain", "--device", "cpu", "-e", "FILE"],
        [*TRAIN, "-a", "-p", "FOLDER"],
        [*TRAIN, "-p", "FOLDER/new", "-i", "FILE"],
        ["downstream", "-m", "evaluate", "--device", "cpu", "-e", "FILE"],
        ["covers", "embed", "FOLDER", "FOLDER/index.npz", "--model", "FILE"],
    ],
    ids=" ".join,
)
def test_commands(hostile, words, monkeypatch, capsys):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (hostile.parent / "a.wav").touch()
    words = [word.replace("FOLDER", str(hostile.parent)).replace("FILE", str(hostile)) for word in words]
    with pytest.raises(SystemExit, match="^error: .*checkpoint.*") as caught:
        main(words)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_downloaded(hostile, monkeypatch, tmp_path):
    monkeypatch.setattr("s3prl.util.download._download_dir", tmp_path / "downloads")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(hostile.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(ValueError, match="cannot be read: not one that run_pretrain.py wrote"):
            hub.pemr_url(ckpt=f"http://127.0.0.1:{server.server_port}/{hostile.name}")
    finally:
        server.shutdown()
        server.server_close()


def test_arrays_of_objects(tmp_path):
    index = {"about": np.array("{}"), "tracks": np.zeros(1, np.uint8), "stamps": np.zeros((1, 2))}
    files = FeatureFiles(tmp_path / "cache", {}, 1.0)
    path = files._path("ab12")
    path.parent.mkdir()
    for place in (path, tmp_path / "index.npz"):
        arrays(place, tmp_path / "mark", index)
        assert is_armed(place)
    assert files.read("ab12") is None  # it is computed anew
    with pytest.raises(ValueError, match="not an index of covers, or damaged"):
        read_index(tmp_path / "index.npz")
    assert not (tmp_path / "mark").exists()
