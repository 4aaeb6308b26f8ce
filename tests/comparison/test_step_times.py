import json

import pytest
import yaml

from s3prl_pemr.comparison.step_times import step_seconds, steps_within, warm_step_seconds


def write_run(expdir, speeds, steps=None, clips=32):
    """A run that logged these clips per second, one line a step."""
    expdir.mkdir(parents=True, exist_ok=True)
    settings = {"pretrain_expert": {"datarc": {"train_batch_size": clips}}}
    (expdir / "config_runner.yaml").write_text(yaml.safe_dump(settings))
    lines = zip(steps or range(1, len(speeds) + 1), speeds, strict=True)
    log = "".join(json.dumps({"step": step, "clips_per_second": speed}) + "\n" for step, speed in lines)
    (expdir / "log.jsonl").write_text(log)
    return expdir


def test_the_pace_is_the_median_without_the_first_step(tmp_path):
    seconds = step_seconds(write_run(tmp_path / "run", [2.0, 16.0, 8.0, 3.2]))
    assert seconds == [16.0, 2.0, 4.0, 10.0]  # 32 clips each
    assert warm_step_seconds(seconds) == 4.0
    assert warm_step_seconds(seconds[:3]) == 3.0  # between 2 and 4


@pytest.mark.parametrize(("budget", "steps"), [(120, 30), (119.9, 29), (4, 1)])
def test_only_whole_steps_fit(budget, steps):
    assert steps_within(budget, 4.0) == steps


def test_a_budget_below_one_step_is_refused():
    with pytest.raises(ValueError, match=r"no step fits into 3.5 s: one takes 4.00 s"):
        steps_within(3.5, 4.0)


def test_one_step_has_no_pace():
    with pytest.raises(ValueError, match="at least 2 steps, got 1"):
        warm_step_seconds([4.0])


@pytest.mark.parametrize("steps", [[1, 3], [2, 3], [1, 1]])
def test_a_log_that_lacks_steps_is_named(tmp_path, steps):
    run = write_run(tmp_path / "cell" / "pretrain", [8.0, 8.0], steps=steps)
    with pytest.raises(ValueError, match=r"log.jsonl: not every step .* remove \S+cell to run it again"):
        step_seconds(run)


@pytest.mark.parametrize("damage", ["no log", "half a line", "no speed", "no settings", "zero"])
def test_a_log_that_cannot_be_read_is_one_clear_line(tmp_path, damage):
    run = write_run(tmp_path / "cell" / "pretrain", [8.0, 0.0 if damage == "zero" else 8.0])
    log = run / "log.jsonl"
    if damage == "no log":
        log.unlink()
    elif damage == "half a line":
        log.write_text(log.read_text()[:-5])
    elif damage == "no speed":
        log.write_text('{"step": 1}\n')
    elif damage == "no settings":
        (run / "config_runner.yaml").write_text("")
    with pytest.raises(ValueError, match=r"log.jsonl: what a step took cannot be read .* remove") as error:
        step_seconds(run)
    assert "\n" not in str(error.value)
