import argparse
import builtins
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from places import ROOT, TOOLKIT_TASKS

import s3prl_pemr.launch.downstream as launch
from s3prl_pemr.launch.downstream_arguments import complete_arguments
from s3prl_pemr.loops.device import choose_device

CPU = ("--device", "cpu")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working directory that holds nothing of ours."""
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


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


@pytest.mark.parametrize(
    ("requested", "gpus", "local_rank", "device"),
    [
        (None, 0, None, "cpu"),
        (None, 2, None, "cuda"),
        (None, 2, 1, "cuda:1"),
        (None, 0, 1, "cpu"),
        ("cpu", 2, 1, "cpu"),
        ("cuda", 2, 0, "cuda:0"),
        ("cuda:1", 2, None, "cuda:1"),
    ],
)
def test_device(monkeypatch, requested, gpus, local_rank, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert choose_device(requested, local_rank) == device


@pytest.mark.parametrize(
    ("gpus", "local_rank", "message"), [(0, None, "no CUDA device"), (2, 2, "lower --nproc_per_node")]
)
def test_device_that_is_not_there(monkeypatch, gpus, local_rank, message):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with pytest.raises(ValueError, match=message):
        choose_device("cuda", local_rank)


def test_cpu_on_a_machine_with_cuda(run_downstream, elsewhere, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ValueError, match="Expected a cuda device"):
        torch.cuda.device("cpu")  # what s3prl/downstream/runner.py:448 would reach
    run_downstream("-m", "train", "-u", "tiny_random", "-d", "counting", "-n", "a")  # evaluates twice
    assert Path("result/downstream/a/dev-best.ckpt").is_file()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""


def test_pushing_heads_without_the_hubs_old_names(run_downstream, elsewhere, monkeypatch):
    monkeypatch.setattr("s3prl_pemr.launch.downstream_arguments.hugging_face_is_usable", lambda: False)
    with pytest.raises(SystemExit, match="needs huggingface_hub<1"):
        run_downstream(
            *("-m", "train", "-u", "tiny_random", "-d", "counting", "-n", "x", "--push_to_hf_hub", "True"),
        )


def start(*command, cwd):
    """A python process without what a torchrun around these tests would tell it."""
    environment = {k: v for k, v in os.environ.items() if k not in ("WORLD_SIZE", "LOCAL_RANK", "RANK")}
    environment["OMP_NUM_THREADS"] = "1"
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.fixture
def example_config(tmp_path):
    """The toolkit's own example task in small: its clips are 5 to 20 s of noise."""
    config = {
        "runner": {
            **{"total_steps": 2, "gradient_clipping": 1, "gradient_accumulate_steps": 1, "log_step": 1},
            **{"eval_step": 2, "save_step": 2, "max_keep": 1, "eval_dataloaders": ["dev"]},
            "evaluate_ratio": 0.01,
        },
        "optimizer": {"name": "AdamW", "lr": 1.0e-3},
        "downstream_expert": {
            "datarc": {"num_workers": 0, "train_batch_size": 2, "eval_batch_size": 1},
            "modelrc": {"input_dim": 4},
        },
    }
    path = tmp_path / "example.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def test_the_toolkits_example_is_trained_resumed_and_evaluated(elsewhere, example_config):
    run = (ROOT / "run_downstream.py", *CPU, "-m")
    start(
        *run,
        "train",
        "-u",
        "fbank_no_cmvn",
        "-d",
        "example",
        "-c",
        example_config,
        "-p",
        "exp",
        cwd=elsewhere,
    )
    assert torch.load(elsewhere / "exp/states-2.ckpt")["Step"] == 2
    start(*run, "train", "-e", "exp", "-o", "config.runner.total_steps=4", cwd=elsewhere)
    assert torch.load(elsewhere / "exp/states-4.ckpt")["Step"] == 4
    done = start(*run, "evaluate", "-t", "test", "-e", "exp/states-4.ckpt", cwd=elsewhere)
    assert "Loading Downstream weights" in done.stdout
    assert "Traceback" not in done.stderr


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", 2)


@pytest.mark.slow  # the test after it covers more of torchrun, on a task of our own
def test_torchrun_trains_the_toolkits_example(elsewhere, example_config):
    flags = ("-m", "train", "-u", "fbank_no_cmvn", "-d", "example", "-c", example_config, "-p", "exp", *CPU)
    start(*TORCHRUN, ROOT / "run_downstream.py", *flags, cwd=elsewhere)
    states = torch.load(elsewhere / "exp/states-2.ckpt")
    assert (states["Step"], states["WorldSize"], states["Args"].local_rank) == (2, 2, 0)
    assert len(list((elsewhere / "exp").glob("events*"))) == 1


def test_torchrun_of_two_equals_one_process_on_the_same_batches(run_downstream, elsewhere, tmp_path):
    """Fine-tuning on 2 x 2 clips a step against 4, unshuffled: 0 2 and 1 3, then 4 6 and 5 7 ..."""
    flags = ("-m", "train", "-u", "tiny_random", "-d", "counting", "-f")
    plateau = {"name": "ReduceLROnPlateau", "metric": "counting/dev-constant", "factor": 0.1, "patience": 0}
    plain = (
        f"config.downstream_expert.shuffle=False,,config.runner.total_steps=16,,config.scheduler={plateau}"
    )
    run_downstream(*flags, "-p", "one", "-o", plain)
    start(
        *(*TORCHRUN, TOOLKIT_TASKS / "run_counting.py", *flags, "-p", "two", *CPU),
        *("-o", f"{plain},,config.downstream_expert.batch_size=2"),
        cwd=elsewhere,
    )
    one, two = torch.load("one/states-16.ckpt"), torch.load("two/states-16.ckpt")
    seen = [Path(f"two/seen-{rank}.txt").read_text().splitlines() for rank in (0, 1)]
    assert [line for line in seen[0] if "train" in line][:2] == ["train 0 2", "train 4 6"]
    assert seen[1] == ["train 1 3", "train 5 7", "train 9 11", "train 13 15"] * 4  # and no evaluation
    assert one["Optimizer"]["param_groups"][0]["lr"] == pytest.approx(
        1e-4
    )  # two falls from 1e-2, on both sides
    for part in ("Upstream", "Downstream"):
        for name, weight in one[part].items():
            torch.testing.assert_close(two[part][name], weight, rtol=1e-4, atol=1e-5, msg=f"{part} {name}")


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
