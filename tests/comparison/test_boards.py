"""Rows of a plan on tasks of mteb: the commands of real cells, carried out in this process."""

import csv

import pytest
import yaml
from places import ROOT

from s3prl_pemr.__main__ import main as program
from s3prl_pemr.comparison.__main__ import compare
from s3prl_pemr.comparison.boards import look_up_boards
from s3prl_pemr.comparison.cells import Place, cells_of
from s3prl_pemr.comparison.plan import Plan, Row, Task
from s3prl_pemr.comparison.plan_file import read_plan
from s3prl_pemr.comparison.stages import Stages

TASKS = ROOT / "tests" / "boards" / "tiny_tasks.py"
COVERS, TIMBRES = f"{TASKS}:TinyCovers", f"{TASKS}:TinyTimbres"


@pytest.fixture
def ran(monkeypatch):
    """The commands of all cells, each carried out here."""
    commands = []

    def run(stages, command):
        commands.append(command[1:])
        return program([*command[3:], "--device", "cpu"]), 1_000_000

    monkeypatch.setattr(Stages, "_run", run)
    return commands


def write(path, **content):
    path.write_text(yaml.safe_dump({"title": "Boards", "seeds": [1, 2], **content}, sort_keys=False))
    return str(path)


def test_rows_are_scored_on_tasks_of_a_plan_and_of_the_flag(tmp_path, ran, capsys):
    pytest.importorskip("mteb")
    plan = write(
        tmp_path / "plan.yaml", reference="filter banks",
        tasks={"covers": {"task": "mteb", "board": COVERS, "settings": {"aligned": 5, "pool": "mean"}}},
        rows=[
            {"name": "filter banks", "upstream": "fbank_no_cmvn"},
            {"name": "chroma", "cover_model": "ftm2d", "tasks": ["covers"]},
            {"name": "tuned", "upstream": "fbank_no_cmvn", "trainable": True},
        ],
    )  # fmt: skip
    command = [plan, "--out", str(tmp_path / "out"), "--mteb", TIMBRES]
    assert compare(command) == 0
    assert "mteb hears frozen upstreams: without tuned" in capsys.readouterr().err
    assert len(ran) == 4  # once for both seeds
    assert [command[-2:] for command in ran[:2]] == [["--pool", "mean"], ["--aligned", "5"]]
    with (tmp_path / "out" / "results.tsv").open() as file:
        rows = {(row["task"], row["row"]): row for row in csv.DictReader(file, delimiter="\t")}
    assert set(rows) == {
        (task, row) for task in ("covers", "TinyTimbres") for row in ("filter banks", "chroma")
    }
    chroma = rows["covers", "chroma"]
    assert (chroma["metric"], chroma["split"], chroma["seeds"]) == ("ndcg_at_10", "test", "1")
    assert (chroma["counted"], chroma["songs"]) == ("8", "4")
    assert float(chroma["low"]) <= float(chroma["mean"]) <= float(chroma["high"])
    banks = float(rows["covers", "filter banks"]["mean"])
    assert float(chroma["difference"]) == pytest.approx(float(chroma["mean"]) - banks, abs=1e-5)
    assert float(chroma["mean"]) > banks
    report = (tmp_path / "out" / "report.md").read_text()
    assert "nDCG@10" in report and "8 items of 4 works; in brackets 95 % intervals over works" in report
    assert "## TinyTimbres, train" in report and "18 items of 18 clips" in report
    assert (tmp_path / "out" / "report.html").read_text().count("<img") == 2
    assert compare(command) == 0
    assert len(ran) == 4  # all was there


def test_a_score_without_items_has_no_intervals(tmp_path, ran, monkeypatch):
    pytest.importorskip("mteb")
    monkeypatch.setattr("s3prl_pemr.boards.items.items_of", lambda *_: None)
    rows = [{"name": "a", "upstream": "fbank_no_cmvn"}, {"name": "b", "upstream": "mel"}]
    tasks = {"timbres": {"task": "mteb", "board": TIMBRES, "settings": {"pool": "mean_std", "layer": 0}}}
    plan = write(tmp_path / "plan.yaml", reference="a", tasks=tasks, rows=rows)
    assert compare([plan, "--out", str(tmp_path / "out")]) == 0
    assert ran[0][-4:] == ["--pool", "mean_std", "--layer", "0"]
    report = (tmp_path / "out" / "report.md").read_text()
    assert "mteb tells the mean alone: without intervals." in report
    with (tmp_path / "out" / "results.tsv").open() as file:
        (a, b) = csv.DictReader(file, delimiter="\t")
    assert (a["low"], b["difference_low"], b["counted"]) == ("", "", "0")
    assert float(b["difference"]) == pytest.approx(float(b["mean"]) - float(a["mean"]))


def test_a_row_of_each_seed_is_scored_from_each_seed(tmp_path):
    tasks = {"board": Task(task="mteb", board="X")}
    runs = {"run": {"method": "barlow_twins", "store": "music"}}
    content = {"tasks": {"board": {"task": "mteb", "board": "X"}}, "pretrainings": runs}
    content |= {"rows": [{"name": "a", "pretrained": "run"}, {"name": "b", "upstream": "mel"}]}
    plan = read_plan(write(tmp_path / "plan.yaml", reference="a", stores={"music": "STORE"}, **content))
    assert plan.tasks == tasks
    found = [
        (cell.row.name, seed) for seed in plan.seeds for cell in cells_of(plan, Place(tmp_path, {}), seed)[1]
    ]
    assert found == [("a", 1), ("b", 1), ("a", 2)]


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"tasks": {"t": {"task": "mteb"}}}, "task t: `board` names a task of mteb"),
        ({"tasks": {"t": {"board": "X", "store": "s"}}}, "task t: `board` names a task of mteb"),
        ({"tasks": {"t": {"task": "mteb", "board": "X", "settings": {"lr": 1}}}}, "of task t: 'lr'"),
        ({"rows": [{"name": "a"}]}, "row a: has neither upstream nor pretrained nor cover_model"),
        (
            {"rows": [{"name": "a", "cover_model": "ready", "tasks": ["tags"]}]},
            "row a: is a cover model, and all but mteb hear frozen upstreams; not of task tags",
        ),
        (
            {"rows": [{"name": "a", "upstream": "mel", "trainable": True, "tasks": ["board"]}]},
            "row a: is trainable, and mteb hears frozen upstreams; not of task board",
        ),
    ],
)  # fmt: skip
def test_a_plan_that_contradicts_itself_is_one_line(more, line, tmp_path):
    content = {
        "tasks": {"board": {"task": "mteb", "board": "X"}, "tags": {"store": "s"}}, "stores": {"s": "STORE"},
        "rows": [{"name": "a", "upstream": "mel"}], "reference": "a", **more,
    }  # fmt: skip
    with pytest.raises(ValueError, match=line) as caught:
        read_plan(write(tmp_path / "plan.yaml", **content))
    assert "\n" not in str(caught.value)


def test_a_name_that_is_taken_is_refused():
    pytest.importorskip("mteb")
    tasks = {"TinyCovers": Task(task="mteb", board=COVERS)}
    plan = Plan(reference="a", tasks=tasks, rows=[Row(name="a", upstream="mel")])
    with pytest.raises(ValueError, match="the plan has a task TinyCovers already"):
        look_up_boards(plan, [COVERS])
