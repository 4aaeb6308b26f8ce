"""s3prl-pemr covers, from a trained checkpoint to the scores of a list."""

import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from written import write_index

from s3prl_pemr.covers.index import read_index
from s3prl_pemr.covers.model import TrainedModel
from s3prl_pemr.covers.track import Known


def test_the_index_has_the_scores_of_the_store(index, collection, checkpoint, run, tmp_path):
    works = [f"{n}_{k}.wav\tsong {n}\n" for n in (3, 4, 5) for k in (0, 1)]  # the test split
    (tmp_path / "list.tsv").write_text("".join(works))
    status, out, err = run("evaluate", index, tmp_path / "list.tsv", "--out", tmp_path / "out")
    assert status == 0
    few, intervals = err.splitlines()
    assert few == "3 works: so few say little of a model, whatever the MAP"
    assert intervals.startswith("intervals over 3 works")
    assert "; a random order has a MAP of 0." in out
    test = json.loads((checkpoint.parent / "scores.json").read_text())["test"]
    assert f"list: MAP {test['map']:.4f}, P@10 {test['precision_at_10']:.4f}, MR1 {test['mr1']:.2f}" in out
    written = json.loads((tmp_path / "out" / "scores.json").read_text())["list"]
    assert written["map"] == pytest.approx(test["map"], abs=1e-12)
    assert written["mean_cosine"] == pytest.approx(test["mean_cosine"], abs=1e-5)
    assert (tmp_path / "out" / "retrieval-list.png").exists()


def test_identify_finds_the_file_itself_first(index, collection, run):
    status, out, err = run("identify", collection / "SRC" / "3_1.wav", index, "--top", 2, "--device", "cpu")
    assert "(on the works of its dev split the model's MAP was " in err
    lines = [line.split(maxsplit=2) for line in out.splitlines() if line.strip().startswith(("1 ", "2 "))]
    assert status == 0
    assert lines[0][2].startswith("3_1.wav  (+0 semitones, 0:00-0:06 of the query is 0:00-0:06)")
    assert len(lines) == 2


def test_only_what_is_new_or_changed_is_embedded(collection, checkpoint, run, tmp_path, monkeypatch):
    from s3prl_pemr.covers import embed

    heard = []
    real = embed.hear
    monkeypatch.setattr(embed, "hear", lambda path: heard.append(Path(path).name) or real(path))
    folder, index = tmp_path / "music", tmp_path / "INDEX"
    (folder / "sub").mkdir(parents=True)
    for name in ("0_0.wav", "0_1.wav"):
        (folder / "sub" / name).write_bytes((collection / "SRC" / name).read_bytes())
    command = ("embed", folder, index, "--model", checkpoint, "--device", "cpu", "--jobs", 1)
    assert "2 tracks, 2 of them new, 0 unreadable, 0 no longer there" in run(*command)[1]
    before = read_index(index)
    assert before.tracks == ["sub/0_0.wav", "sub/0_1.wav"]

    (folder / "new.wav").write_bytes((collection / "SRC" / "1_0.wav").read_bytes())
    (folder / "sub" / "0_1.wav").unlink()
    soundfile.write(folder / "silent.wav", np.zeros(48_000), 16_000)
    soundfile.write(folder / "nan.wav", np.full(48_000, np.nan), 16_000, subtype="FLOAT")
    (folder / "text.mp3").write_text("no audio")
    heard.clear()
    status, out, err = run(*command)
    assert status == 0
    assert "3 tracks, 2 of them new, 2 unreadable, 1 no longer there" in out
    assert sorted(heard) == ["nan.wav", "new.wav", "silent.wav", "text.mp3"]
    assert "unreadable: nan.wav: 48000 of 48000 samples are NaN or infinite" in err
    assert "unreadable: text.mp3: not audio" in err
    assert "silent: silent.wav: left out of all rankings" in err
    after = read_index(index)
    assert after.tracks == ["sub/0_0.wav", "new.wav", "silent.wav"]
    np.testing.assert_array_equal(after.embeddings[0], before.embeddings[0])
    with pytest.raises(SystemExit, match="error: .*INDEX: none of its 3 tracks is in this folder"):
        run("embed", collection / "SRC", index, "--model", checkpoint, "--device", "cpu")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_embed_keeps_what_it_has(collection, checkpoint, run, tmp_path, monkeypatch, number):
    from s3prl_pemr.covers import embed

    real, seen = embed.hear, []

    def stop_at_third(path):
        seen.append(path)
        if len(seen) == 3:
            os.kill(os.getpid(), number)
        return real(path)

    command = ("embed", collection / "SRC", tmp_path / "INDEX", "--model", checkpoint, "--device", "cpu")
    monkeypatch.setattr(embed, "hear", stop_at_third)
    status, _, err = run(*command, "--jobs", 1)
    assert status == 128 + number
    assert "interrupted: 3 of 12 tracks are done and kept; the same command again goes on" in err
    assert len(read_index(tmp_path / "INDEX").tracks) == 3
    monkeypatch.setattr(embed, "hear", real)
    assert "12 tracks, 9 of them new" in run(*command, "--jobs", 1)[1]


def test_an_index_of_another_model_is_refused(index, collection, checkpoint, tmp_path, run):
    other = torch.load(checkpoint)
    other["Step"] = 99
    torch.save(other, tmp_path / "other.ckpt")
    query = collection / "SRC" / "0_0.wav"
    for words in (
        ("identify", query, index, "--model", tmp_path / "other.ckpt"),
        ("embed", collection / "SRC", index, "--model", tmp_path / "other.ckpt"),
    ):
        with pytest.raises(
            SystemExit, match="error: .*INDEX: made by another model .checkpoint differs"
        ) as caught:
            run(*words, "--device", "cpu")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", "lists no tracks; its lines are path<TAB>work"),
        ("0_0.wav\ta\n0_0.wav\ta\n", "line 2 lists 0_0.wav for the second time"),
        ("0_0.wav\ta|b\n", "1 tracks have not exactly one work, the first: 0_0.wav"),
        ("0_0.wav\n", "line 1 has 1 columns"),
        ("x.wav\ta\ny.wav\ta\n", "none of its 2 tracks is in"),
        ("0_0.wav\ta\n1_0.wav\tb\n", "none of 2 tracks has another version"),
    ],
)
def test_lists_that_cannot_be_scored_are_one_line(index, tmp_path, run, content, line):
    (tmp_path / "list.tsv").write_text(content)
    with pytest.raises(SystemExit, match=f"^error: .*{line}") as caught:
        run("evaluate", index, tmp_path / "list.tsv")
    assert "\n" not in str(caught.value)


def test_missing_tracks_are_named_and_counted(index, tmp_path, run):
    (tmp_path / "list.tsv").write_text("0_0.wav\ta\n0_1.wav\ta\nlost.wav\ta\n")
    _, out, err = run("evaluate", index, tmp_path / "list.tsv")
    assert "2 queries of 1 works among 2 tracks" in out
    assert err.splitlines() == [
        "not in the index: lost.wav",
        "1 of 3 listed tracks are not in the index",
        "1 works: so few say little of a model, whatever the MAP",
    ]


def test_wrong_files_are_one_line(index, collection, checkpoint, tmp_path, run):
    (tmp_path / "text").write_text("no index")
    (tmp_path / "empty").mkdir()
    soundfile.write(tmp_path / "silent.wav", np.zeros(32_000), 16_000)
    query = collection / "SRC" / "0_0.wav"
    for words, line in (
        (("identify", query, tmp_path / "none"), "none: no such index"),
        (("identify", query, tmp_path / "text"), "text: not an index of covers"),
        (("identify", tmp_path / "none.mp3", index), "none.mp3: no such file"),
        (("identify", tmp_path / "silent.wav", index), "silent.wav: is silent"),
        (("identify", query, index, "--top", 0), "--top must be at least 1"),
        (("identify", query, index, "--model", tmp_path / "none.ckpt"), "none.ckpt: no such checkpoint"),
        (("embed", tmp_path / "empty", tmp_path / "I", "--model", checkpoint), "empty: holds no audio files"),
        (("embed", tmp_path / "none", tmp_path / "I", "--model", checkpoint), "none: not a folder"),
        (
            ("embed", collection / "SRC", tmp_path / "I", "--model", tmp_path / "text"),
            "text: not a checkpoint",
        ),
    ):
        with pytest.raises(SystemExit, match=f"^error: .*{line}") as caught:
            run(*words)
        assert "\n" not in str(caught.value)


def test_an_index_survives_its_file(tmp_path):
    tracks = ["a\nb.mp3", "ü\0.wav", "c d"]
    stamps = np.array([[1, 2], [3, 4], [5, 1 << 60]])
    rng = np.random.default_rng(0)
    known = [
        Known(row, rng.integers(0, 255, (12, 4 + n), np.uint8), rng.random((n, 3)).astype(np.float16))
        for n, row in enumerate(np.eye(3, dtype=np.float32))
    ]
    found = write_index(tmp_path / "INDEX", tracks, known, stamps, {"checkpoint": "x"}, "m.ckpt")
    assert found.tracks == tracks
    for one, other in zip(found.known, known, strict=True):
        for name in ("embedding", "chroma", "pieces"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(found.stamps, stamps)
    assert (found.made_by, found.model) == ({"checkpoint": "x"}, "m.ckpt")
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize(
    ("dev_map", "line"),
    [
        (-1.0, "the model was never scored on a dev split"),
        (0.10, "MAP was 0.100, a random order's 0.080: it hardly knows covers, and this order says little"),
        (0.40, "MAP was 0.400, a random order's 0.080"),
    ],
)
def test_what_the_models_score_says_of_an_answer(tmp_path, dev_map, line):
    model = TrainedModel.__new__(TrainedModel)
    model.checkpoint = tmp_path / "dev-best.ckpt"
    model.expert = SimpleNamespace(best_score=torch.tensor(dev_map))
    (tmp_path / "scores.json").write_text(json.dumps({"dev": {"random_ranking": {"map": 0.08}}}))
    said = model.trust()
    assert line in said and ("hardly" in said) == ("hardly" in line)
    (tmp_path / "scores.json").unlink()
    assert "random" not in model.trust()
