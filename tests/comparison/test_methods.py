"""`make compare-demo` from one command to the table, with commands that only leave what real ones leave."""

import json
from pathlib import Path

import pytest
import yaml

from s3prl_pemr.comparison import cells, stages
from s3prl_pemr.comparison.__main__ import main
from s3prl_pemr.comparison.launchers import PRETRAIN_CONFIG
from s3prl_pemr.launch.pretrain_arguments import apply_override, parse_arguments

STEP_SECONDS = {"pemr": 4.0, "barlow_twins": 1.0, "byol": 2.0}
INTERVALS = {"roc_auc": [0.6, 0.8], "pr_auc": [0.4, 0.6]}
SCORES = {"test": {"roc_auc": 0.7, "pr_auc": 0.5, "clips": 72, "interval_95": INTERVALS}}


@pytest.fixture
def ran(monkeypatch):
    """What has been run; `ran.stop_at` is how many commands until one fails."""

    class Ran(list):
        stop_at = None

        def __call__(self, command):
            arguments = command[1:]
            if self.stop_at == len(self):
                return 130
            self.append(arguments)
            if arguments[2] == "pretrain":
                _leave_a_run(parse_arguments(arguments[3:]))
            if "evaluate" in arguments:
                folder = Path(arguments[arguments.index("-e") + 1]).parent
                folder.mkdir()
                (folder / "scores.json").write_text(json.dumps(SCORES))
            return 0

        def cells(self):
            """Those that were pretrained, in their order."""
            return [Path(line[line.index("-p") + 1]).parent.name for line in self if line[2] == "pretrain"]

    fake = Ran()
    monkeypatch.setattr(stages, "_run", fake)
    monkeypatch.setattr(cells, "parameter_count", lambda *_: 1000)
    return fake


def _leave_a_run(args):
    config, _ = apply_override(args.override, yaml.safe_load(PRETRAIN_CONFIG.read_text()), {})
    expdir, steps = Path(args.expdir), config["runner"]["total_steps"]
    expdir.mkdir()
    (expdir / "config_runner.yaml").write_text(yaml.safe_dump(config))
    seconds = [10.0] + [STEP_SECONDS[args.upstream]] * (steps - 1)
    lines = [{"step": n + 1, "clips_per_second": 32 / second} for n, second in enumerate(seconds)]
    (expdir / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (expdir / f"states-{steps}.ckpt").touch()


def test_both_budgets_of_each_method_make_one_table(ran, tmp_path, capsys):
    command = ["methods", str(tmp_path), "--methods", "barlow_twins,pemr", "--steps", "3", "--seconds", "12"]
    assert main(command) == 0
    # at 4 s a step 3 steps are 12 s: one run of PEMR serves both budgets
    assert ran.cells() == [
        "pemr-seed1337-steps3",
        "barlow_twins-seed1337-steps3",
        "barlow_twins-seed1337-steps12",
    ]
    assert len(ran) == 2 + 2 + 3 * 3  # corpus and store, the floor, three cells
    table = (tmp_path / "methods" / "table.md").read_text()
    scores = "0.700 [0.600, 0.800] | 0.500 [0.400, 0.600]"
    assert f"| `pemr_random` | 0 | 0 | {scores} | 0 | 0 | {scores} | 1,000 | 1 |" in table
    assert f"| `pemr` | 3 | 18 | {scores} | 3 | 18 | {scores} | 1,000 | 1 |" in table
    assert f"| `barlow_twins` | 3 | 12 | {scores} | 12 | 21 | {scores} | 1,000 | 1 |" in table
    assert "Scores of 72 test clips" in table
    assert (tmp_path / "methods" / "comparison.png").stat().st_size > 5000
    shown = capsys.readouterr().out
    assert table in shown
    assert "barlow_twins: 1.00 s a step" in shown
    assert "5/5: barlow_twins, seed 1337, 12 steps" in shown


def test_the_same_command_goes_on_cell_by_cell(ran, tmp_path):
    command = ["methods", str(tmp_path), "--methods", "byol,barlow_twins", "--steps", "3", "--seconds", "8"]
    ran.stop_at = 9  # in the head of the second cell
    with pytest.raises(SystemExit) as error:
        main(command)
    assert error.value.code == 130
    assert "`pemr_random`" in (tmp_path / "methods" / "table.md").read_text()  # what is done can be read
    ran.stop_at = None
    assert main(command) == 0
    assert len(ran) == len({tuple(line) for line in ran}) == 2 + 2 + 4 * 3  # nothing twice
    assert "`byol` | 3 |" in (tmp_path / "methods" / "table.md").read_text()


def test_cells_are_found_from_another_order_and_more_seeds_run_only_theirs(ran, tmp_path):
    options = ["--steps", "3", "--seconds", "8"]
    assert main(["methods", str(tmp_path), "--methods", "byol", *options]) == 0
    assert main(["methods", str(tmp_path), "--methods", "barlow_twins", *options]) == 0
    before = len(ran)
    assert main(["methods", str(tmp_path), "--methods", "barlow_twins,byol", *options]) == 0
    assert len(ran) == before
    assert main(["methods", str(tmp_path), "--methods", "byol,barlow_twins", *options, "--seeds", "2"]) == 0
    assert {name.split("-")[1] for name in ran.cells()[4:]} == {"seed1338"}
    assert len(ran) == before + 2 + 4 * 3
    lines = (tmp_path / "methods" / "table.md").read_text().splitlines()
    assert "| `byol` | 3 | 14 | 0.700 ± 0.000 | 0.500 ± 0.000 | 4 | 16 | 0.700 ± 0.000 |" in lines[4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--methods", "byol,simsiam"], r"--methods .*'simsiam'.*; there are pemr, "),
        (["--methods", ","], r"--methods ,: none named"),
        (["--seeds", "0"], "--seeds 0: at least 1"),
        (["--steps", "1"], "--steps 1: at least 2"),
        (["--seconds", "nan"], "--seconds nan: more than 0"),
    ],
)
def test_what_cannot_be_run_is_said_first(ran, tmp_path, options, message):
    with pytest.raises(SystemExit, match=message):
        main(["methods", str(tmp_path), *options])
    assert ran == []


def test_a_budget_below_one_step_is_said(ran, tmp_path):
    with pytest.raises(SystemExit, match=r"no step fits into 1.5 s: one takes 2.00 s"):
        main(["methods", str(tmp_path), "--methods", "byol", "--steps", "3", "--seconds", "1.5"])
