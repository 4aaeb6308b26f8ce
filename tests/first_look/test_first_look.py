"""`make demo`: its stages, what it says of them, its pictures - without the minutes they take."""

import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from s3prl.downstream.cover_song.training_free.alignment import Alignment

from s3prl_pemr.comparison.__main__ import main
from s3prl_pemr.comparison.outcome.scores import Score, tagging_scores
from s3prl_pemr.comparison.stages import Stages
from s3prl_pemr.covers.ranking import Match
from s3prl_pemr.demo.music.recording import Recording
from s3prl_pemr.first_look import cover_music, covers, demo, few_labels, music_picture
from s3prl_pemr.first_look.few_labels import Row, solved_tags, verdict
from s3prl_pemr.first_look.head_tags import head_tags
from s3prl_pemr.first_look.side_by_side import run_all
from s3prl_pemr.store import AudioStore

TAGS = ("bass", "low tone", "high tone")


@pytest.fixture
def songs(tmp_path):
    """A store of twelve clips of six songs with three tags, and made-up predictions for them."""
    from labelled_store import make_store

    rng = np.random.default_rng(0)
    marks = rng.random((12, 3)) < 0.5
    marks[:2] = [[True, True, True], [False, False, False]]
    tracks = {
        f"clip{number}": ([tag for tag, has in zip(TAGS, row, strict=True) if has], "test", np.full(800, 0.1))
        for number, row in enumerate(marks)
    }
    tracks["train0"] = (list(TAGS), "train", np.full(800, 0.1))
    store = AudioStore(make_store(tmp_path, tracks))
    scores = np.clip(marks + rng.normal(0, 0.6, marks.shape), 0, 1)
    scores[:, 1] = marks[:, 1]  # solved
    lines = [f"clip{number}.wav\t" + "\t".join(map(str, row)) for number, row in enumerate(scores)]
    path = tmp_path / "predictions-test.tsv"
    path.write_text("\t".join(("track", *TAGS)) + "\n" + "\n".join(lines) + "\n")
    return store, path, marks, scores


def test_scores_of_the_tags_that_are_left(songs):
    from sklearn.metrics import average_precision_score, roc_auc_score

    store, path, marks, scores = songs
    found = tagging_scores(path, store, without={"low tone"})
    kept = [0, 2]
    roc_auc = np.mean([roc_auc_score(marks[:, tag], scores[:, tag]) for tag in kept])
    pr_auc = np.mean([average_precision_score(marks[:, tag], scores[:, tag]) for tag in kept])
    assert found["roc_auc"].value == pytest.approx(roc_auc, abs=1e-6)
    assert found["pr_auc"].value == pytest.approx(pr_auc, abs=1e-6)
    low, high = found["pr_auc"].interval
    assert 0 < low < high < 1


def test_tags_that_the_ruler_solves(tmp_path):
    table = tmp_path / "per-tag-dev.tsv"
    table.write_text('tag\troc_auc\npiano\t0.981\n"jazz\t0.98\nrare\tnan\nviolin\t1\n')
    assert solved_tags(table) == ["piano", "violin"]


def test_tags_of_one_side_alone(tmp_path):
    from labelled_store import make_store

    labels = {
        "both": ("train", "test"),
        "learned": ("train", "valid"),
        "asked": ("test",),
        "never": ("valid",),
    }
    tracks = {
        f"{tag}-{split}": ([tag], split, np.full(800, 0.1))
        for tag, splits in labels.items()
        for split in splits
    }
    found = few_labels.one_sided_tags(AudioStore(make_store(tmp_path, tracks)))
    assert found == ["asked", "learned", "never"]
    line = few_labels.rule(few_labels.Dropped(found, [], 4))
    assert (
        "Compared on 1 of 4 tags" in line
        and "none of test (asked, learned, never)" in line
        and ": none." in line
    )


def test_a_difference_is_that_of_the_same_songs():
    """Two systems that are far apart on every song alike differ, though their own intervals overlap."""
    rng = np.random.default_rng(0)
    of_songs = rng.uniform(0.2, 0.9, 24)
    counts = rng.multinomial(24, np.full(24, 1 / 24), size=500)

    def score(values):
        left_out = (values.sum() - values) / 23
        return Score(float(values.mean()), counts @ values / 24, left_out, 24)

    systems = {
        "fbank_no_cmvn": score(of_songs - 0.05 + rng.normal(0, 0.01, 24)),
        "mel": score(of_songs + 0.06 + rng.normal(0, 0.01, 24)),
        "pemr_random": score(of_songs + rng.normal(0, 0.1, 24)),
        "pemr": score(of_songs),
    }
    assert systems["pemr"].interval[0] < systems["fbank_no_cmvn"].interval[1]
    rows = [
        Row(name, fraction, {"pr_auc": value}, 1.0)
        for fraction in few_labels.FRACTIONS
        for name, value in systems.items()
    ]
    lines = verdict(rows)
    assert [line.partition("pemr is ")[2].partition(",")[0] for line in lines[:3]] == [
        "above fbank_no_cmvn", "below mel", "a tie with pemr_random"
    ]  # fmt: skip
    assert lines[0].startswith("100% of the labels") and lines[3].startswith("10% of the labels")


def test_the_runs_and_what_is_shown(tmp_path, monkeypatch, capsys, songs):
    store, predictions, *_ = songs
    commands = {}

    def run(stages, name, arguments):
        commands[stages.path.parent.name, name] = arguments
        stages.records[name] = {"seconds": 2.0}
        stages._write()
        if "-p" in arguments:
            folder = Path(arguments[arguments.index("-p") + 1])
            folder.mkdir(exist_ok=True)
            (folder / "predictions-test.tsv").write_bytes(predictions.read_bytes())
            (folder / "per-tag-dev.tsv").write_text("tag\troc_auc\nlow tone\t1\nbass\t0.7\n")
            steps = [
                {"step": step, "prediction_loss": 9 / step, "positive_loss": 8 / step, "negative_loss": 0.1}
                for step in range(4, 44, 4)
            ]
            (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in steps))

    monkeypatch.setattr(Stages, "run", run)
    monkeypatch.setattr(demo, "demo_store", lambda stages, folder, part, flag: store.path)
    heads_asked = []
    monkeypatch.setattr(
        "s3prl_pemr.first_look.head_tags.head_tags",
        lambda head, *_: heads_asked.append(head) or {"soft_brilliance": [("piano", 0.5)]},
    )
    path = np.stack([np.arange(20), np.arange(20) + 4], axis=1)
    match = Match(0, 1.5, 0.9, Alignment(4.0, 3, path, np.eye(40, 44)))
    cover = covers.Found("open_road-jazz", "open_road-folk", match, 0.01)
    score = covers.Score(0.3, (0.2, 0.4), 0.08, 60)
    monkeypatch.setattr(covers, "find", lambda *_: ([cover], score))
    folder = tmp_path / "demo"
    assert main(["demo", str(folder)]) == 0
    assert len(commands) == 4 * len(few_labels.UPSTREAMS) + 1 + 2 + 2
    assert all("-k" not in arguments for arguments in commands.values())
    few = commands["pemr", "head, 10% of the labels"]
    assert "label_fraction=0.1" in few[few.index("-o") + 1]
    assert ("fbank_no_cmvn", "dev scores") in commands and ("pemr", "dev scores") not in commands
    steps = demo.STEPS
    first, second = (commands["pretraining", f"{number} steps"] for number in (steps // 2, steps))
    assert "-a" in second and first[first.index("-p") + 1] == second[second.index("-p") + 1]
    assert str(folder / "covers" / "collection") in commands["covers", "embed"]
    head = commands["pemr", "head, 100% of the labels"]
    assert heads_asked == [Path(head[head.index("-p") + 1]) / "dev-best.ckpt"]
    shown = capsys.readouterr().out
    assert "heads on pemr: done, 8 s" in shown
    assert "Compared on 2 of 3 tags" in shown and "decided" not in shown and ": low tone." in shown
    assert "| `pemr` | 10% |" in shown and "a tie with pemr_random" in shown
    assert "| open_road-jazz | open_road-folk | right | -3 semitones, 0:00-0:11" in shown
    for name in ("labels.png", "covers.png", "loss.png", "music.png"):
        assert (folder / name).stat().st_size > 5_000
    assert "Blue: a frame's importance" in (folder / "music.md").read_text()


class Cell:
    """Ends as it is told."""

    def __init__(self, folder, ending):
        self.title, self.folder, self.ending = "a cell", folder, ending

    def carry_out(self, stages):
        self.ending()


def test_a_run_that_fails_and_one_that_is_interrupted(tmp_path, capsys):
    def fail():
        raise ValueError("no such store")

    assert run_all([Cell(tmp_path / "a", fail), Cell(tmp_path / "b", lambda: None)]) == 1
    told = capsys.readouterr()
    assert "a cell: failed: no such store" in told.out and "a cell: done" in told.out
    assert "1 of 2 runs failed; the same command tries them again" in told.err
    interrupted = Cell(tmp_path / "c", lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert run_all([interrupted]) == 128 + signal.SIGTERM
    assert "the same command again goes on" in capsys.readouterr().err


def test_the_demo_is_told_that_a_run_failed(tmp_path, monkeypatch, songs):
    monkeypatch.setattr(demo, "demo_store", lambda stages, folder, part, flag: songs[0].path)
    monkeypatch.setattr("s3prl_pemr.first_look.side_by_side.run_all", lambda cells: 130)
    assert main(["demo", str(tmp_path / "demo")]) == 130


def test_the_music_of_the_covers_is_rendered_once(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(cover_music, "record", lambda recording, folder: made.append(folder.name))
    monkeypatch.setattr(Recording, "is_there", lambda self, folder: folder.name == "queries")
    cover_music.main(tmp_path)
    assert made == ["collection"] * covers.WORKS


def test_the_music_is_small_and_attributed():
    files = list(music_picture.MUSIC.glob("*.opus"))
    assert sum(file.stat().st_size for file in files) < 2_000_000
    text = (music_picture.MUSIC / "ATTRIBUTION.md").read_text()
    assert {file.stem for file in files} == set(music_picture.TITLES)
    assert all(f"`{file.name}`" in text for file in files)


def test_a_head_that_cannot_be_asked_is_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"none.ckpt: error: -e .*none.ckpt: no such checkpoint") as caught:
        head_tags(tmp_path / "none.ckpt", music_picture.pieces(), 3)
    assert "\n" not in str(caught.value)


def test_covers_are_composed_by_other_seeds_and_judged_by_their_titles(tmp_path):
    made = covers.recordings()
    assert {name: len(files) for name, files in made.items()} == {"collection": 30, "queries": 30}
    names = [recording.clips[0].path.rpartition("-")[0] for recording in made["collection"]]
    assert [recording.clips[0].path.rpartition("-")[0] for recording in made["queries"]] == names
    wrong = covers.Found("open_road-jazz", "early_tide-jazz", Match(0, 1.0, 1.0), 0.9)
    assert not wrong.right
    text = covers.markdown([wrong], covers.Score(0.3, (0.2, 0.4), 0.08, 60))
    assert "0 of 1 renditions" in text and "a MAP of 0.300 [0.200, 0.400] on all 60 renditions" in text


def test_the_network_is_scored_without_what_stands_beside_it():
    """Of two works' renditions: the network's part tells them apart, the rest the other way round."""
    vectors = np.zeros((4, 332), np.float32)
    vectors[[0, 2], 0] = vectors[[1, 3], 1] = 1
    vectors[[0, 3], 200] = vectors[[1, 2], 201] = 9
    index = SimpleNamespace(tracks=["a-jazz.wav", "b-folk.wav"], embeddings=vectors[:2])
    score = covers.score_network(index, {"a-rock": vectors[2], "b-metal": vectors[3]})
    assert (score.mean, score.tracks) == (1.0, 4)
    assert score.chance == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
