"""`s3prl-pemr compare` from a plan to the report, with commands that leave what real ones leave."""

import csv
import json
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import yaml
from labelled_store import make_store

from s3prl_pemr.comparison.__main__ import compare
from s3prl_pemr.comparison.stages import Stages
from s3prl_pemr.explain.clip_map import ClipMap, write_map

TAGS = ("bass", "piano", "rock")
NOISE = {"fbank_no_cmvn": 0.9, "pemr_random": 0.5, "barlow_twins_local": 0.3}  # of predictions


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Thirty clips with three tags."""
    rng = np.random.default_rng(0)
    marks = rng.random((30, 3)) < 0.5
    tracks = {
        f"clip{number}": ([tag for tag, has in zip(TAGS, row, strict=True) if has], "test", np.full(800, 0.1))
        for number, row in enumerate(marks)
    }
    return make_store(tmp_path_factory.mktemp("songs"), tracks), marks


@pytest.fixture
def plan(tmp_path, store):
    """Writes a plan and returns its path."""

    def write(rows, **more):
        content = {
            "title": "Which <upstream>?", "about": "A test.", "reference": rows[0]["name"], "seeds": [1, 2],
            "stores": {"music": str(store[0])},
            "tasks": {"tagging": {"store": "music", "config": "config_demo.yaml"}}, "rows": rows, **more,
        }  # fmt: skip
        (tmp_path / "plan.yaml").write_text(yaml.safe_dump(content))
        return str(tmp_path / "plan.yaml")

    return write


@pytest.fixture
def ran(monkeypatch, store):
    """Commands instead of which their files are left; `ran.fail` holds words of commands that fail."""
    _, marks = store

    class Ran(list):
        fail: set = set()
        stop_after = None
        lock = threading.Lock()

        def __call__(self, stages, command):
            with self.lock:
                if self.stop_after == len(self):
                    return 128 + signal.SIGINT, 0
                self.append(command[1:])
            if self.fail & set(command):
                stages._say("Traceback\nValueError: out of luck")
                return 1, 0
            if "map" in command:
                clips = np.arange(8)
                found = ClipMap([], [], np.full((8, 2), 0.5, np.float32), 0.5, 0.4, 0.3)
                write_map(Path(command[command.index("-o") + 1]), clips, found)
                return 0, 0
            expdir = Path(command[command.index("-p") + 1]) if "-p" in command else None
            if "pretrain" in command:
                _leave_pretraining(expdir, command)
            elif expdir:
                expdir.mkdir()
                upstream, seed = (command[command.index(flag) + 1] for flag in ("-u", "--seed"))
                settings = {"upstream": upstream, "seed": int(seed), "downstream_expert": {"task": "tags"}}
                (expdir / "config_last.yaml").write_text(yaml.safe_dump(settings))
            else:
                _leave_scores(Path(command[command.index("-e") + 1]).parent, marks)
            return 0, 500_000_000

    fake = Ran()
    monkeypatch.setattr(Stages, "_run", lambda stages, command: fake(stages, command))
    monkeypatch.setattr("s3prl_pemr.comparison.outcome.results.parameter_count", lambda *_: 370_560)
    return fake


def _leave_pretraining(expdir, command):
    override = dict(part.split("=", 1) for part in command[command.index("-o") + 1].split(",,"))
    steps = int(override["config.runner.total_steps"])
    expdir.mkdir()
    config = {"pretrain_expert": {"datarc": {"train_batch_size": 32}}}
    (expdir / "config_runner.yaml").write_text(yaml.safe_dump(config))
    lines = [{"step": step, "clips_per_second": 16} for step in range(1, steps + 1)]  # 2 s a step
    (expdir / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (expdir / f"states-{steps}.ckpt").touch()


def _leave_scores(expdir, marks):
    run = yaml.safe_load((expdir / "config_last.yaml").read_text())
    rng = np.random.default_rng(run["seed"])
    scores = marks + NOISE[run["upstream"]] * rng.normal(size=marks.shape)
    lines = [f"clip{number}.wav\t" + "\t".join(map(str, row)) for number, row in enumerate(scores)]
    (expdir / "predictions-test.tsv").write_text("\t".join(("track", *TAGS)) + "\n" + "\n".join(lines) + "\n")
    (expdir / "scores.json").write_text(json.dumps({"test": {"clips": len(marks)}}))


def results(folder):
    with (folder / "results.tsv").open() as file:
        return {(row["row"], row["metric"]): row for row in csv.DictReader(file, delimiter="\t")}


ROWS = [
    {"name": "fbank", "upstream": "fbank_no_cmvn"},
    {"name": "random", "upstream": "pemr_random"},
    {"name": "Barlow | Twins", "pretrained": "bt"},
]
PRETRAININGS = {
    "bt": {"method": "barlow_twins", "store": "music", "config": "config_demo.yaml", "seconds": 20.0}
}


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_from_a_plan_to_a_report(ran, plan, tmp_path, capsys, jobs):
    path = plan(ROWS, pretrainings=PRETRAININGS)
    assert compare([path, "--out", str(tmp_path / "out"), "--jobs", jobs]) == 0
    assert len(ran) == 2 * (2 + 3 * 2)  # per seed: pace and pretraining, three heads of two commands
    lengths = [line[line.index("-o") + 1] for line in ran if "pretrain" in line]
    assert sum("total_steps=10," in length for length in lengths) == 2  # 20 s at 2 s a step
    table = results(tmp_path / "out")
    twins = table["Barlow | Twins", "roc_auc"]
    assert (twins["seeds"], twins["counted"], twins["peak_gb"]) == ("2", "30", "0.5")
    assert float(twins["low"]) < float(twins["mean"]) < float(twins["high"])
    assert float(twins["difference_low"]) > 0  # by less noise than fbank's
    assert table["fbank", "roc_auc"]["difference"] == ""
    difference = float(twins["mean"]) - float(table["fbank", "roc_auc"]["mean"])
    assert float(twins["difference"]) == pytest.approx(difference, abs=1e-5)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Which &lt;upstream&gt;?" in page and "data:image/png;base64," in page
    assert (
        "http" not in page.replace("https://", "").partition("<body>")[0]
    )  # nothing is loaded from elsewhere
    report = (tmp_path / "out" / "report.md").read_text()
    assert "| Barlow / Twins | " in report and "30 clips of 30 songs" in report
    assert "Barlow | Twins is better than fbank" in report
    assert report in capsys.readouterr().out
    before = len(ran)
    assert compare([path, "--out", str(tmp_path / "out")]) == 0
    assert len(ran) == before  # nothing twice


def test_a_failed_cell_is_shown_and_the_others_go_on(ran, plan, tmp_path, capsys):
    ran.fail = {"pemr_random"}
    path = plan(ROWS[:2])
    assert compare([path, "--out", str(tmp_path / "out")]) == 1
    shown = capsys.readouterr()
    assert "2 of 4 cells failed; the same command tries them again" in shown.err
    assert "| random | failed: ValueError: out of luck |" in shown.out
    assert 'class="failed"' in (tmp_path / "out" / "report.html").read_text()
    assert results(tmp_path / "out")["random", ""]["failure"] == "ValueError: out of luck"
    ran.fail = set()
    assert compare([path, "--out", str(tmp_path / "out")]) == 0
    assert ("random", "roc_auc") in results(tmp_path / "out")


def test_a_failed_pretraining_fails_its_rows(ran, plan, tmp_path, capsys):
    ran.fail = {"barlow_twins"}
    assert compare([plan(ROWS, pretrainings=PRETRAININGS, seeds=[1]), "--out", str(tmp_path / "out")]) == 1
    assert "failed: pretraining bt, seed 1: ValueError: out of luck" in capsys.readouterr().out
    assert ("fbank", "roc_auc") in results(tmp_path / "out")


def test_what_was_interrupted_goes_on(ran, plan, tmp_path):
    path = plan(ROWS[:2], seeds=[1])
    ran.stop_after = 3  # in the second row's scores
    assert compare([path, "--out", str(tmp_path / "out")]) == 1
    assert set(results(tmp_path / "out")) == {("fbank", "roc_auc"), ("fbank", "pr_auc"), ("random", "")}
    ran.stop_after = None
    assert compare([path, "--out", str(tmp_path / "out")]) == 0
    assert len(ran) == 4 and ("random", "roc_auc") in results(tmp_path / "out")


def test_the_papers_numbers_stand_where_the_clips_are_the_papers(ran, plan, tmp_path):
    rows = [{**ROWS[0], "paper": {"tagging": {"roc_auc": 0.896}}}, ROWS[1]]
    task = {"store": "music", "config": "config_demo.yaml"}
    for clips, shown in ((30, True), (5329, False)):
        path = plan(rows, tasks={"tagging": {**task, "paper_clips": {"test": clips}}})
        assert compare([path, "--out", str(tmp_path / f"out{clips}")]) == 0
        assert ("0.896" in (tmp_path / f"out{clips}" / "report.md").read_text()) == shown


def test_maps_of_rows_stand_in_the_report(ran, plan, tmp_path):
    maps = {"store": "music", "split": "", "rows": ["Barlow | Twins", "fbank"], "clips": 8, "sounds": 3}
    path = plan([{**ROWS[0], "layer": 0}, *ROWS[1:]], pretrainings=PRETRAININGS, maps=maps)
    assert compare([path, "--out", str(tmp_path / "out")]) == 0
    commands = [line for line in ran if "map" in line]
    assert [line[line.index("-u") + 1] for line in commands] == ["barlow_twins_local", "fbank_no_cmvn"]
    assert "pretraining/bt-seed1/run/states-10.ckpt" in commands[0][commands[0].index("-k") + 1]
    assert commands[1][commands[1].index("--layer") + 1] == "0" and "--layer" not in commands[0]
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<circle ") == 2 * 8 and page.count("data:audio/mpeg") == 3
    assert "8 clips of music" in page and page.index("Barlow | Twins</b>") < page.index("fbank</b>")
    before = len(ran)
    assert compare([path, "--out", str(tmp_path / "out")]) == 0
    assert len(ran) == before
    ran.fail = {"map"}
    assert compare([path, "--out", str(tmp_path / "other")]) == 1
    page = (tmp_path / "other" / "report.html").read_text()
    assert "fbank: failed: ValueError: out of luck" in page and "<circle" not in page


def test_what_cannot_be_run_is_said_first(ran, plan, tmp_path):
    path = plan(ROWS[:1])
    for arguments, message in (
        ([path, "--jobs", "0"], "--jobs 0: at least 1"),
        ([path, "-o", "stores.music=/nowhere"], "/nowhere: no such store"),
        ([path, "-o", "stores.music=demo:x"], "demo:x: the demo corpus has magnatagatune, gtzan"),
    ):
        with pytest.raises(SystemExit, match=message):
            compare([*arguments, "--out", str(tmp_path / "out")])
    assert ran == []
