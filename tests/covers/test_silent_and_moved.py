"""Silent tracks are in no ranking; places are asked about before work; what has moved can be named."""

import json

import numpy as np
import pytest
import soundfile
import torch
from written import write_index

from s3prl_pemr.covers import embed
from s3prl_pemr.covers.index import read_index
from s3prl_pemr.covers.model import TrainedModel
from s3prl_pemr.covers.track import Known, hear


@pytest.fixture
def music(collection, tmp_path):
    """Two versions of one work, another work, and silence."""
    folder = tmp_path / "music"
    folder.mkdir()
    for name in ("0_0.wav", "0_1.wav", "1_0.wav"):
        (folder / name).write_bytes((collection / "SRC" / name).read_bytes())
    soundfile.write(folder / "silent.wav", np.zeros(48_000), 16_000)
    return folder


def test_a_silent_track_is_in_no_ranking_and_named(music, checkpoint, run, tmp_path, monkeypatch):
    heard = []
    real = embed.hear
    monkeypatch.setattr(embed, "hear", lambda path: heard.append(path) or real(path))
    command = ("embed", music, tmp_path / "I", "--model", checkpoint, "--device", "cpu", "--jobs", 1)
    for _ in range(2):  # the second time it is kept without being read again
        status, out, err = run(*command)
        assert status == 0
        assert "4 tracks" in out and "1 silent" in out
        assert "silent: silent.wav: left out of all rankings" in err
    assert len(heard) == 4
    index = read_index(tmp_path / "I")
    assert index.silent_tracks == {"silent.wav"}

    query = tmp_path / "quiet.wav"  # one sample that is not zero: all but silence, once the nearest of it
    soundfile.write(query, np.eye(1, 48_000, 20_000)[0] * 1e-4, 16_000)
    for file in (query, music / "0_0.wav"):
        _, out, err = run("identify", file, tmp_path / "I", "--device", "cpu")
        ranked = [line.split()[2] for line in out.splitlines() if line.split()[0].isdigit()]
        assert sorted(ranked) == ["0_0.wav", "0_1.wav", "1_0.wav"]
        assert "1 silent tracks of" in err and "are left out: silent.wav" in err

    (tmp_path / "list.tsv").write_text("0_0.wav\ta\n0_1.wav\ta\nsilent.wav\ta\n1_0.wav\tb\n")
    _, out, err = run("evaluate", tmp_path / "I", tmp_path / "list.tsv", "--out", tmp_path / "out")
    assert "2 queries of 1 works among 3 tracks" in out
    assert "1 silent tracks are left out: silent.wav" in err
    assert json.loads((tmp_path / "out" / "scores.json").read_text())["list"]["silent_left_out"] == 1


def test_channels_that_cancel_each_other_are_named(music, checkpoint, run, tmp_path):
    tone = 0.3 * np.sin(np.arange(48_000) / 8)
    left = tone + 1e-3 * np.cos(np.arange(48_000) / 5)
    soundfile.write(music / "anti.wav", np.stack([left, -tone], 1), 16_000, subtype="FLOAT")
    _, out, err = run("embed", music, tmp_path / "A", "--model", checkpoint, "--device", "cpu", "--jobs", "1")
    assert "anti.wav: cancelled: mono has" in err
    assert err.count("cancelled") == 1
    _, _, err = run("identify", music / "anti.wav", tmp_path / "A", "--device", "cpu")
    assert "anti.wav: cancelled: mono has" in err


def test_an_index_of_silence_alone_is_one_line(music, checkpoint, run, tmp_path):
    model = TrainedModel(checkpoint, "cpu")
    silent = Known(np.zeros(3, np.float32), np.zeros((12, 5), np.uint8), np.zeros((0, 3), np.float16))
    stamps = np.zeros((1, 2), np.int64)
    write_index(tmp_path / "I", ["a"], [silent], stamps, model.fingerprint, str(checkpoint))
    with pytest.raises(SystemExit, match="error: .*I: all of its 1 tracks are silent"):
        run("identify", music / "0_0.wav", tmp_path / "I", "--device", "cpu")
    (tmp_path / "list.tsv").write_text("a\tx\n")
    with pytest.raises(SystemExit, match="none of its 1 tracks is in .*I but 1 silent ones"):
        run("evaluate", tmp_path / "I", tmp_path / "list.tsv")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("missing/INDEX", "INDEX .*missing/INDEX: there is no folder .*missing; make it"),
        ("file/INDEX", "INDEX .*file: not a folder"),
        ("music", "INDEX .*music: a folder that holds something else; choose another name"),
    ],
)
def test_embed_asks_for_its_place_before_it_reads_anything(
    music, checkpoint, run, tmp_path, monkeypatch, place, line
):
    (tmp_path / "file").touch()
    monkeypatch.setattr(embed, "open_model", None)  # comes first of the work
    with pytest.raises(SystemExit, match=f"^error: {line}") as caught:
        run("embed", music, tmp_path / place, "--model", checkpoint, "--device", "cpu")
    assert "\n" not in str(caught.value)


def test_evaluate_asks_for_its_place_first(index, run, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="^error: --out .*file/out: .*file is not a folder") as caught:
        run("evaluate", index, tmp_path / "no.tsv", "--out", tmp_path / "file" / "out")
    assert "\n" not in str(caught.value)


def test_a_model_that_has_moved_is_named_anew(index, collection, checkpoint, run, tmp_path):
    found, there = read_index(index), str(tmp_path / "was.here")
    write_index(tmp_path / "I", found.tracks, found.known, found.stamps, found.made_by, there)
    query = collection / "SRC" / "3_1.wav"
    with pytest.raises(SystemExit, match="I: its model .*was.here is no longer there; .* --model$") as caught:
        run("identify", query, tmp_path / "I", "--device", "cpu")
    assert "\n" not in str(caught.value)
    _, out, _ = run("identify", query, tmp_path / "I", "--device", "cpu", "--model", checkpoint)
    assert "  3_1.wav  (+0 semitones" in out
    (tmp_path / "list.tsv").write_text("0_0.wav\ta\n0_1.wav\ta\n")
    assert run("evaluate", tmp_path / "I", tmp_path / "list.tsv")[0] == 0  # needs no model


def test_an_upstream_s_checkpoint_that_has_moved_is_named_anew(checkpoint, tmp_path, collection):
    saved = torch.load(checkpoint)
    saved["Args"].upstream, saved["Args"].upstream_ckpt = "pemr_local", str(tmp_path / "was.ckpt")
    torch.save(saved, tmp_path / "head.ckpt")
    with pytest.raises(ValueError, match="was.ckpt is no longer there; .* --upstream_ckpt$") as caught:
        TrainedModel(tmp_path / "head.ckpt", "cpu")
    assert "\n" not in str(caught.value)
    saved["Args"].upstream = "fbank_no_cmvn"  # it ignores the path: nothing is missing
    torch.save(saved, tmp_path / "head.ckpt")
    expected = TrainedModel(checkpoint, "cpu")
    found = TrainedModel(tmp_path / "head.ckpt", "cpu", str(checkpoint))
    assert found.runner.args.upstream_ckpt == str(checkpoint)
    heard = hear(str(collection / "SRC" / "0_0.wav"))
    one, other = (model.know(heard, "a").embedding for model in (found, expected))
    np.testing.assert_array_equal(one, other)
