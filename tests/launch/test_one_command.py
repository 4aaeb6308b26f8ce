"""s3prl-pemr: one command in front of all others."""

import subprocess
import sys

import pytest
from places import ROOT

import s3prl_pemr
from s3prl_pemr.__main__ import COMMANDS, main


def exits(arguments):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    return left.value.code


def test_help_lists_every_command_with_a_line(capsys):
    assert exits(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert f"  {name:{max(map(len, COMMANDS))}}  {command.help}\n" in shown
    assert "exit status" in shown
    assert exits([]) == 0
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize(
    "words",
    [["prepare", name] for name in ("folder", "mtat", "gtzan", "shs100k", "covers80", "demo")]
    + [["covers", name] for name in ("embed", "identify", "evaluate")]
    + [["pretrain"], ["downstream"], ["compare"], ["demo"]],
    ids=" ".join,
)  # fmt: skip
def test_every_help_has_an_example_that_begins_with_its_own_words(words, capsys):
    assert exits([*words, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"usage: s3prl-pemr {' '.join(words)}" in shown
    assert f"example:\n  s3prl-pemr {' '.join(words)} " in shown


def test_version(capsys):
    assert exits(["--version"]) == 0
    assert capsys.readouterr().out == f"s3prl-pemr {s3prl_pemr.__version__}\n"


def test_an_unknown_command_is_a_usage_error(capsys):
    assert exits(["pretrane", "-u", "pemr"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == "s3prl-pemr: error: unknown command 'pretrane'; did you mean pretrain?"


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (["pretrain", "-u", "pemr"], 1, "error: where to save the experiment? pass -n NAME"),
        (["prepare", "folder"], 2, "s3prl-pemr prepare folder: error: the following arguments are required"),
    ],
)
def test_errors_are_one_line_on_stderr(tmp_path, arguments, status, line):
    done = subprocess.run(
        [sys.executable, "-m", "s3prl_pemr", *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == status
    assert done.stderr.splitlines()[-1].startswith(line)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["downstream", "-m", "train", "-u", "pemr"], "error: where to save the experiment? pass -n NAME"),
        (["prepare", "folder", "no/such/folder", "DST"], "prepare: no/such/folder: not a folder"),
        (["covers", "identify", "a.mp3", "no-index"], "error: no-index: no such index"),
        (["compare", "tabel6"], "error: tabel6: no such plan; name a yaml file, or one of "),
    ],
)
def test_so_do_other_commands(tmp_path, monkeypatch, capsys, arguments, line):
    monkeypatch.chdir(tmp_path)
    try:
        status = main(arguments)
    except SystemExit as left:
        status = left.code
    printed = capsys.readouterr()
    said = printed.err.splitlines()[-1] if status == 1 else status  # Python prints a text, and exits with 1
    assert said.startswith(line) and "\n" not in said and printed.out == ""


def test_ctrl_c_ends_in_one_line(monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("s3prl_pemr.comparison.__main__.demo", interrupted)
    assert main(["demo", "DEMO"]) == 130
    assert capsys.readouterr().err == "demo: interrupted; run the same command again to go on\n"


@pytest.mark.parametrize("command", ["pretrain", "downstream"])
def test_the_old_spellings_are_the_same_command(command):
    spellings = [[ROOT / f"run_{command}.py"], ["-m", "s3prl_pemr", command]]
    old, new = (  # in processes of their own: other tests add upstreams to the list
        subprocess.run([sys.executable, *words, "--help"], capture_output=True, check=True).stdout
        for words in spellings
    )
    assert old == new
