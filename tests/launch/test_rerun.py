"""run.json, and the commands that repeat a run: they are run, and the result is the same."""

import json
import logging
import os
import shlex
import subprocess

import pytest
import yaml
from pretraining_runs import equal, load
from split_store import split_store

from s3prl_pemr.__main__ import main
from s3prl_pemr.launch import rerun
from s3prl_pemr.launch.rerun import differences, distinct, repeating
from s3prl_pemr.report import run_record
from s3prl_pemr.report.run_record import git_state, read_starts, record_start
from s3prl_pemr.store import AudioStore
from s3prl_pemr.toolkit.registration import PLUGIN_ROOT


def printed(capsys, *words):
    capsys.readouterr()
    assert main(["rerun", *map(str, words)]) == 0
    out, err = capsys.readouterr()
    return out.splitlines(), err


def test_the_printed_command_repeats_pretraining(tmp_path, config, model_settings, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(logging.getLogger(), "level", logging.getLogger().level)  # put back at the end
    for module in (run_record, rerun):
        monkeypatch.setattr(module, "git_state", lambda _: None)
    for name, content in (("runner", config), ("model", model_settings)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))
    typed = ["-u", "pemr", "-nrun", "--expdir=once", "-c", "runner.yaml", "-g", "model.yaml", "--seed", "3"]
    settings = "config.runner.n_epochs=-1,,config.runner.total_steps=1,,config.runner.picture_step=0"
    assert main(["pretrain", *typed, "--device", "cpu", "-o", settings]) == 0
    for name in ("runner.yaml", "model.yaml"):
        (tmp_path / name).unlink()
    (place, command), remarks = printed(capsys, "once")
    assert place == f"cd {tmp_path}" and remarks == ""
    program, *words = shlex.split(command)
    assert program == "s3prl-pemr" and words[-1] == str(tmp_path / "once-again")
    assert main(words) == 0
    first, again = (load(tmp_path / name / "states-1.ckpt") for name in ("once", "once-again"))
    assert equal(again["Upstream"], first["Upstream"]) and equal(again["Optimizer"], first["Optimizer"])
    (record,) = read_starts(tmp_path / "once")
    assert record["command"][:5] == ["pretrain", "-u", "pemr", "-nrun", "--expdir=once"]
    assert record["settings"]["config_runner.yaml"]["runner"]["total_steps"] == 1
    assert record["versions"]["torch"] and record["device"] == "cpu" and len(*record["data"].values()) == 64


def test_the_printed_command_repeats_a_downstream_run(run_downstream, tmp_path, capsys):
    settings = "config.runner.total_steps=3,,config.runner.save_step=3,,config.downstream_expert.dropout=0.5"
    flags = (
        "-m",
        "train",
        "-u",
        "tiny_random",
        "-f",
        "-d",
        "counting",
        "-p",
        tmp_path / "once",
        "-o",
        settings,
    )
    run_downstream(*flags, "-o", settings)
    (_, command), _ = printed(capsys, tmp_path / "once")
    words = shlex.split(command)
    assert words[:2] == ["s3prl-pemr", "downstream"] and "-o" not in words
    run_downstream(*words[2:])
    first, again = (load(tmp_path / name / "states-3.ckpt") for name in ("once", "once-again"))
    assert equal(again["Downstream"], first["Downstream"]) and equal(again["Upstream"], first["Upstream"])


def start(command, settings, folder="/w/run"):
    return {"command": command, "settings": settings, "folder": folder, "directory": "/w",
            "processes": [1, 2], "device": "cuda:0"}  # fmt: skip


def test_settings_that_a_later_start_changed_are_typed_again(tmp_path):
    typed = ["pretrain", "-u", "pemr", "-p", "run", "-o", "a=1"]
    starts = [start(typed, {"a": 1}), start([*typed[:-1], "a=2", "-a"], {"a": 2}), start(typed, {"a": 1})]
    assert distinct(starts) == starts[:2]  # the third went on, or began anew, as the first
    old, new = tmp_path / "run", tmp_path / "new"
    launcher = "torchrun --nnodes=1 --nproc_per_node=2 -m s3prl_pemr"
    assert shlex.join(repeating(starts[1], old, new, starts)) == (
        f"{launcher} pretrain -u pemr -o a=2 -a --device cuda -p {new}"
    )


def test_an_evaluation_is_of_the_new_folders_head(tmp_path):
    folder = tmp_path / "run"
    starts = [start(["downstream", "-m", "evaluate", "-e", str(folder / "dev-best.ckpt"), "-t", "test"], {})]
    words = repeating(starts[0], folder, tmp_path / "new", starts)
    assert words[words.index("-e") + 1] == str(tmp_path / "new" / "dev-best.ckpt")


def test_what_is_not_as_it_was_is_said(tmp_path):
    folder = split_store(tmp_path / "store", ["train"])
    same = {"versions": run_record.versions(), "git": git_state(PLUGIN_ROOT)}
    record = start([], {}) | same | {"data": {str(folder): AudioStore(folder).fingerprint}}
    assert [line for line in differences(record) if "the code had changes" not in line] == []
    record["versions"]["torch"] = "1.0"
    record |= {"data": {str(folder): "0" * 64, "nowhere": ""}, "git": {"commit": "abc", "changed": True}}
    said = " | ".join(differences(record))
    assert "torch 1.0, now " in said and f"{folder} holds other music | " in said
    assert "changes over commit abc" in said and "was at abc" in said
    assert "/w/nowhere: not an audio store" in said


@pytest.mark.parametrize(
    "content", ["", "[]", '{"format": 1, "starts": [{}]}', '{"format": 2, "starts": []}']
)
def test_no_record_or_a_damaged_one_is_one_line(tmp_path, content):
    with pytest.raises(SystemExit, match=r"error: .*run.json: No such file or directory; runs of this"):
        main(["rerun", str(tmp_path)])
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(SystemExit, match=r"error: .*run.json: damaged, or of another version; remove it"):
        main(["rerun", str(tmp_path)])


def test_the_state_of_a_checkout(tmp_path):
    assert git_state(tmp_path) is None
    (tmp_path / "a.txt").touch()
    for words in (
        ["init", "-q"],
        ["add", "a.txt"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x"],
    ):
        subprocess.run(["git", "-C", tmp_path, *words], check=True)
    index = (tmp_path / ".git/index").read_bytes()
    os.utime(tmp_path / "a.txt", ns=(1, 1))  # git would note that it has looked at it again
    clean = git_state(tmp_path)
    assert (tmp_path / ".git/index").read_bytes() == index
    assert len(clean["commit"]) == 40 and not clean["changed"]
    (tmp_path / "new").touch()
    assert git_state(tmp_path) == {**clean, "changed": True}


def test_starts_are_appended(tmp_path, monkeypatch):
    monkeypatch.setattr(run_record, "git_state", lambda _: None)
    for step in range(3):
        record_start(tmp_path, ["pretrain", str(step)], {"path": tmp_path}, {}, "cpu")
    content = json.loads((tmp_path / "run.json").read_text())
    assert [start["command"][1] for start in content["starts"]] == ["0", "1", "2"]
