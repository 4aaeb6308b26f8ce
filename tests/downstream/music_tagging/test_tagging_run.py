"""run_downstream.py -d music_tagging from the command line to the scores."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
from places import ROOT
from s3prl import hub
from tagging_store import clip

from s3prl_pemr.audio import SAMPLE_RATE

STEPS = 40


def overrides(store, steps, *more):
    runner = f"config.runner.total_steps={steps},,config.runner.eval_step={steps // 2}"
    saving = f"config.runner.save_step={steps},,config.runner.log_step=1"
    data = f"config.downstream_expert.datarc.store={store}"
    return ["-o", ",,".join([runner, saving, data, *more])]


@pytest.fixture(scope="module")
def trained(store, tmp_path_factory):
    """An experiment on fbank_no_cmvn, trained by the command line in a process of its own."""
    expdir = tmp_path_factory.mktemp("run") / "EXPDIR"
    command = [sys.executable, ROOT / "run_downstream.py", "-m", "train", "-u", "fbank_no_cmvn", "--device"]
    command += ["cpu", "-d", "music_tagging", "-p", expdir]
    settings = ("config.optimizer.lr=0.03", "config.downstream_expert.datarc.train_batch_size=16")
    done = subprocess.run(
        [*command, *overrides(store, STEPS, *settings)], cwd=expdir.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return expdir


def scores(expdir):
    return json.loads((expdir / "scores.json").read_text())


def test_separable_tags_are_learned(trained, run_downstream):
    run_downstream("-m", "evaluate", "-e", trained / "dev-best.ckpt")
    test = scores(trained)["test"]
    assert test["roc_auc"] > 0.9
    assert test["pr_auc"] > 0.9
    assert (test["clips"], test["tags"], test["upstream"]) == (8, 3, "fbank_no_cmvn")
    assert test["checkpoint"] == "dev-best.ckpt"


def test_evaluation_of_the_best_checkpoint_gives_the_score_it_was_chosen_by(trained, run_downstream):
    best = torch.load(trained / "dev-best.ckpt")
    during, before = scores(trained)["dev"], (trained / "predictions-dev.tsv").read_bytes()
    run_downstream("-m", "evaluate", "-t", "dev", "-e", trained / "dev-best.ckpt")
    assert during.items() <= scores(trained)["dev"].items()
    assert (trained / "predictions-dev.tsv").read_bytes() == before
    assert during["roc_auc"] == pytest.approx(best["Downstream"]["best_score"].item(), abs=1e-6)
    assert best["Downstream"]["_extra_state"]["tags"] == ["high tone", "low tone", "noise"]


@pytest.mark.parametrize("checkpoint", ["", "dev-best.ckpt"])  # the folder: its newest states-*.ckpt
def test_inference_prints_the_tags_of_a_file(trained, run_downstream, tmp_path, capsys, checkpoint):
    wav = clip(("high tone",), np.random.default_rng(9), seconds=2)
    soundfile.write(tmp_path / "my song.flac", np.stack([wav, wav], axis=1), SAMPLE_RATE)
    run_downstream(
        *("-m", "inference", "-t", tmp_path / "my song.flac", "-e", trained / checkpoint),
        *("-o", "config.downstream_expert.top_tags=2"),
    )
    name, first, second = capsys.readouterr().out.splitlines()[-3:]
    assert name == "my song"
    assert first.split(maxsplit=1)[1] == "high tone"
    assert float(first.split()[0]) > float(second.split()[0])


def test_inference_gives_a_file_of_the_store_its_prediction(trained, run_downstream, store, capsys):
    with (trained / "predictions-dev.tsv").open() as file:
        row = list(csv.DictReader(file, delimiter="\t"))[5]
    run_downstream(
        "-m", "inference", "-t", store.parent / "SRC" / row["track"], "-e", trained / "dev-best.ckpt"
    )
    printed = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[-3:]]
    for score, tag in printed:
        assert float(score) == pytest.approx(float(row[tag]), abs=6e-4)


def test_another_store_is_refused_on_evaluation(trained, run_downstream, genre_store, tmp_path):
    with pytest.raises(SystemExit, match="^error: .*this task needs one label|^error: the checkpoint's task"):
        run_downstream(
            *("-m", "evaluate", "-e", trained / "dev-best.ckpt"),
            *("-o", "config.downstream_expert.task=genre"),
        )
    with pytest.raises(SystemExit, match="^error: .*nowhere: not an audio store"):
        run_downstream(
            *("-m", "evaluate", "-e", trained / "dev-best.ckpt"),
            *("-o", f"config.downstream_expert.datarc.store={tmp_path / 'nowhere'}"),
        )


def test_a_start_without_a_store_is_one_line(run_downstream, tmp_path):
    with pytest.raises(SystemExit, match="^error: datarc.store is empty") as caught:
        run_downstream("-m", "train", "-u", "fbank_no_cmvn", "-d", "music_tagging", "-p", tmp_path / "x")
    assert "\n" not in str(caught.value)


def test_fine_tuning_trains_the_upstream(run_downstream, store, tmp_path):
    run_downstream(
        *("-m", "train", "-u", "pemr_random", "-f", "-d", "music_tagging", "-p", tmp_path),
        *overrides(
            store,
            2,
            "config.downstream_expert.datarc.train_batch_size=4",
            "config.downstream_expert.datarc.crop_samples=8000",
        ),
    )
    saved = torch.load(tmp_path / "states-2.ckpt")

    start = hub.pemr_random()
    start.reset_parameters(1337)  # the toolkit's default --seed
    name = next(name for name in saved["Upstream"] if "encoder" in name and name.endswith("weight"))
    moved = (saved["Upstream"][name] - start.state_dict()[name]).abs().max().item()
    assert 0 < moved < 0.1  # two steps of Adam, 1e-3 each
    assert scores(tmp_path)["dev"]["upstream_trainable"] is True


def test_other_upstreams_and_the_mlp(run_downstream, genre_store, tmp_path):
    run_downstream(
        *("-m", "train", "-u", "mel", "-d", "music_tagging", "-p", tmp_path),
        *overrides(
            genre_store,
            4,
            "config.downstream_expert.task=genre",
            "config.downstream_expert.modelrc.kind=mlp",
            "config.downstream_expert.modelrc.hidden_dim=8",
        ),
    )
    dev = scores(tmp_path)["dev"]
    assert (dev["task"], dev["clips"], dev["head_parameters"]) == ("genre", 3, 80 * 8 + 8 + 8 * 3 + 3)


def test_features_are_kept_under_the_runs_folder_unless_told_otherwise(run_downstream, store, tmp_path):
    flags = ("-m", "train", "-u", "fbank_no_cmvn", "-d", "music_tagging")
    for name, more in (("kept", ()), ("none", ("--feature_cache", "none"))):
        run_downstream(*flags, "-p", tmp_path / name, *more, *overrides(store, 4))
    assert list((tmp_path / "kept/features").rglob("*.npz")) and not (tmp_path / "none/features").exists()
    run_downstream(*flags, "-f", "-p", tmp_path / "trained", *overrides(store, 2))
    assert not (tmp_path / "trained/features").exists()
    for split, expected in scores(tmp_path / "none").items():
        assert scores(tmp_path / "kept")[split]["loss"] == pytest.approx(expected["loss"], rel=1e-4)
