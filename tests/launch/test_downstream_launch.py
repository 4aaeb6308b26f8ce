import argparse
import builtins
import sys

import pytest
import torch

import s3prl_pemr.launch.downstream as launch
from s3prl_pemr.launch.downstream_arguments import complete_arguments

CPU = ("--device", "cpu")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-u", "fbank", "-n", "x"], "which task\\? pass -d"),
        (["-d", "example", "-n", "x"], "which upstream\\? pass -u"),
        (["-d", "example", "-u", "fbank"], "where to save .* pass -n NAME .* or -p DIRECTORY"),
        (["-d", "example", "-u", "fbnak", "-n", "x"], "-u fbnak: unknown upstream; did you mean fbank"),
        (["-d", "example", "-u", "qqqqqq", "-n", "x"], "-u qqqqqq: unknown upstream; -h lists them all"),
        (["-d", "exmaple", "-u", "fbank", "-n", "x"], "-d exmaple: unknown task; did you mean example"),
        (["-d", "qqqqqq", "-u", "fbank", "-n", "x"], "-d qqqqqq: unknown task; there are .*voxceleb1"),
        (["-d", "asr", "-u", "fbank", "-n", "x"], "-d asr: .*pass -c CONFIG"),
        (["-d", "asr", "-u", "fbank", "-n", "x", "-c", "no.yaml"], "-c no.yaml: no such file"),
        (["-e", "nowhere"], "-e nowhere: no such checkpoint"),
        (["-e", "."], "-e .: no states-\\*.ckpt in this directory"),
        (["-a", "-p", "."], "which task\\? pass -d"),  # nothing there to resume: a new experiment
        (["-d", "counting", "-u", "fbank", "-n", "x", "-i", "no.ckpt"], "-i no.ckpt: no such checkpoint"),
    ],
)
def test_what_is_missing_is_said_in_one_line(run_downstream, elsewhere, arguments, message):
    with pytest.raises(SystemExit, match=f"^error: {message}") as caught:
        run_downstream("-m", "train", *arguments)
    assert "\n" not in str(caught.value)
    assert not list(elsewhere.iterdir())  # no experiment directory of a failed start


def test_our_own_refusals_end_in_one_line_and_others_keep_their_traceback(
    run_downstream, elsewhere, monkeypatch
):
    with pytest.raises(SystemExit, match="^error: scheduler ReduceLROnPlateau: `metric` is missing"):
        run_downstream(
            *("-m", "train", "-u", "tiny_random", "-d", "counting", "-n", "x"),
            *("-o", "config.scheduler={'name': 'ReduceLROnPlateau'}"),
        )
    with pytest.raises(ValueError, match="Invalid learning rate"):  # torch's own
        run_downstream(
            *("-m", "train", "-u", "tiny_random", "-d", "counting", "-n", "x"),
            *("-o", "config.optimizer.lr=-1"),
        )


def test_default_config_is_found_beside_the_expert(run_downstream, elsewhere):
    run_downstream("-m", "train", "-u", "tiny_random", "-d", "counting", "-n", "a")
    assert (elsewhere / "result/downstream/a/states-8.ckpt").is_file()


def test_of_configs_of_one_name_none_is_guessed(run_downstream, elsewhere):
    for folder in ("a", "b"):
        path = elsewhere / "downstream/counting" / folder / "same.yaml"
        path.parent.mkdir(parents=True)
        path.write_text("runner: {}")
    with pytest.raises(SystemExit, match="^error: -c same.yaml: there are several.*/a/same.yaml, .*/b/same"):
        run_downstream("-m", "train", "-u", "tiny_random", "-d", "counting", "-n", "a", "-c", "same.yaml")


def test_auto_resume_needs_the_directory_only(run_downstream, elsewhere, monkeypatch):
    run_downstream("-m", "train", "-u", "tiny_random", "-d", "counting", "-p", "exp")
    run_downstream("-m", "train", "-a", "-p", "exp", "-o", "config.runner.total_steps=12")
    assert torch.load("exp/states-12.ckpt")["Step"] == 12


def test_every_flag_reaches_the_toolkit(tmp_path):
    head = str(tmp_path / "head.ckpt")
    torch.save({"Args": argparse.Namespace()}, head)
    flags = ["-m", "evaluate", "-f", "-s", "last_hidden_state", "-l", "1", "-t", "dev", "-i", head]
    config = tmp_path / "x.yaml"
    config.write_text("runner: {}\n")
    flags += [
        "-o",
        "config.x=-1",
        "--seed",
        "7",
        "-u",
        "fbank",
        "-d",
        "example",
        "-p",
        "exp",
        "-c",
        str(config),
    ]
    argv, _ = complete_arguments([*flags, *CPU])
    assert argv == [*flags, *CPU, *CPU]


@pytest.mark.parametrize("flag", [["--local_rank", "1"], ["--local-rank=1"]])
def test_local_rank_is_left_to_torchrun(flag, tmp_path):
    head = tmp_path / "head.ckpt"
    torch.save({"Args": argparse.Namespace()}, head)
    argv, _ = complete_arguments(["-e", str(head), *flag, "-m", "train", *CPU])
    assert argv == ["-e", str(head), "-m", "train", *CPU, *CPU]


def test_a_checkpoint_that_is_none_of_a_head_is_one_line(tmp_path):
    (tmp_path / "notes.txt").write_text("notes")
    torch.save({"Method": "pemr", "Upstream": {}}, tmp_path / "upstream.ckpt")
    torch.save({"a": torch.zeros(500)}, tmp_path / "states-2.ckpt")
    torch.save({"Args": argparse.Namespace()}, tmp_path / "states-1.ckpt")
    for path, message in (
        ("upstream.ckpt", "of `pretrain -u pemr`; -e wants a head's checkpoint, an upstream's goes to -k"),
        ("states-2.ckpt", "not of run_downstream.py; -e wants"),
        ("notes.txt", "cannot be read: not one that run_downstream.py wrote"),
    ):
        for flags in (["-e"], ["-u", "pemr", "-d", "music_tagging", "-n", "x", "-i"]):
            with pytest.raises(ValueError, match=message) as caught:
                complete_arguments([*flags, str(tmp_path / path), "-m", "train", *CPU])
            assert "\n" not in str(caught.value)
    damaged = tmp_path / "states-2.ckpt"
    damaged.write_bytes(damaged.read_bytes()[:800])
    with pytest.raises(ValueError, match="is damaged or cut off .* -a goes on from states-1.ckpt"):
        complete_arguments(["-a", "-p", str(tmp_path), "-m", "train", *CPU])


def test_isinstance_is_given_back(run_downstream, elsewhere):
    before = builtins.isinstance
    run_downstream("-m", "train", "-u", "tiny_random", "-d", "counting", "-n", "a")
    assert builtins.isinstance is before


def test_pushing_heads_without_the_hubs_old_names(run_downstream, elsewhere, monkeypatch):
    monkeypatch.setattr("s3prl_pemr.launch.downstream_arguments.hugging_face_is_usable", lambda: False)
    with pytest.raises(SystemExit, match="needs huggingface_hub<1"):
        run_downstream(
            *("-m", "train", "-u", "tiny_random", "-d", "counting", "-n", "x", "--push_to_hf_hub", "True"),
        )


def test_help_lists_our_upstreams(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run_downstream.py", "-h"])
    with pytest.raises(SystemExit) as caught:
        launch.main()
    assert caught.value.code == 0
    assert "'pemr_random'" in capsys.readouterr().out.replace("\n", "")


def test_help_and_u_have_upstreams_only(monkeypatch, capsys, tmp_path):
    with pytest.raises(SystemExit):
        launch.main(["--help"])
    shown = "".join(capsys.readouterr().out.split())
    assert "'fbank'" in shown
    imported = ("os", "glob", "torch", "Path", "FileLock", "load_and_convert_fairseq_ckpt")
    assert not [name for name in imported if f"'{name}'" in shown]
    with pytest.raises(SystemExit, match="^error: -u Path: unknown upstream"):
        launch.main(["-m", "train", "-u", "Path", "-d", "music_tagging", "-p", str(tmp_path / "x")])
