"""modelrc.pooling from the command line: training, scoring and inference, with and without the cache."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
import torch
from tagging_store import TAGS

DATA = "config.downstream_expert.datarc"
HEAD = "config.downstream_expert.modelrc"
SHORT = ",,".join(f"config.runner.{key}={steps}" for key, steps in (
    ("total_steps", 4), ("eval_step", 2), ("save_step", 4), ("log_step", 1)))  # fmt: skip
SEGMENTS = f"config.downstream_expert.scoring=segments,,{DATA}.crop_samples=10000,,{DATA}.eval_batch_size=5"


def train(run_downstream, store, expdir, *more, upstream="pemr_random", settings=(), cache="none"):
    overrides = ",,".join([f"{DATA}.store={store}", SHORT, *settings])
    flags = ("-m", "train", "-u", upstream, "-d", "music_tagging", "-p", expdir, *more)
    run_downstream(*flags, "--feature_cache", cache, "-o", overrides)


def evaluate(run_downstream, checkpoint, *more, cache="none"):
    run_downstream("-m", "evaluate", "-e", checkpoint, "--feature_cache", cache, *more)
    return predictions(checkpoint.parent)


def predictions(expdir, split="test"):
    with (expdir / f"predictions-{split}.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return np.array([[float(row[tag]) for tag in TAGS] for row in rows])


def weight_shapes(checkpoint):
    states = torch.load(checkpoint, weights_only=True)["Downstream"]
    return {tuple(value.shape) for value in states.values() if hasattr(value, "shape")}


@pytest.mark.parametrize("standardise", [True, False])
def test_mean_and_deviation_with_and_without_the_cache(run_downstream, store, tmp_path, standardise):
    settings = (f"{HEAD}.pooling=mean_std", f"{HEAD}.standardise={standardise}")
    found = []
    for name, cache in (("plain", "none"), ("computed", tmp_path / "cache"), ("read", tmp_path / "cache")):
        train(run_downstream, store, tmp_path / name, settings=settings, cache=cache)
        found.append(evaluate(run_downstream, tmp_path / name / "dev-best.ckpt", cache=cache))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(found[1], found[2])
    assert (len(TAGS), 2 * 512) in weight_shapes(tmp_path / "plain/dev-best.ckpt")


@pytest.fixture
def trained(run_downstream, store, tmp_path):
    """An experiment on mean and deviation that kept no features."""
    train(run_downstream, store, tmp_path / "trained", settings=[f"{HEAD}.pooling=mean_std"])
    return tmp_path / "trained"


def test_segments_of_mean_and_deviation(trained, run_downstream, tmp_path):
    head, segments = trained / "dev-best.ckpt", ("-o", SEGMENTS)
    whole, plain = evaluate(run_downstream, head), evaluate(run_downstream, head, *segments)
    assert not np.array_equal(whole, plain)
    for _ in range(2):  # computed, then read
        cached = evaluate(run_downstream, head, *segments, cache=tmp_path / "cache")
        np.testing.assert_allclose(cached, plain, rtol=1e-3, atol=1e-5)
    assert json.loads((trained / "scores.json").read_text())["test"]["scoring"] == "segments"


def test_inference_by_mean_and_deviation(trained, run_downstream, store, tmp_path, capsys):
    printed = []
    temperature = torch.load(trained / "dev-best.ckpt")["Downstream"]["_extra_state"]["temperature"]
    for cache in ("none", tmp_path / "cache"):
        capsys.readouterr()
        run_downstream(
            *("-m", "inference", "-t", store.parent / "SRC/clip24.wav", "-e", trained / "dev-best.ckpt"),
            *("--feature_cache", cache),
        )
        lines = re.findall(r"^  (\S+)  (.+)$", capsys.readouterr().out, re.MULTILINE)
        printed.append({tag: float(score) for score, tag in lines})
    scores = evaluate(run_downstream, trained / "dev-best.ckpt")[0]
    expected = 1 / (1 + (1 / scores - 1) ** (1 / temperature))  # sigmoid of the logit by the temperature
    assert printed[0] == printed[1]
    assert printed[0] == pytest.approx(dict(zip(TAGS, expected, strict=True)), abs=6e-4)


def test_fine_tuning_by_mean_and_deviation(run_downstream, store, tmp_path):
    settings = (f"{HEAD}.pooling=mean_std", f"{DATA}.crop_samples=6000", f"{DATA}.train_batch_size=8")
    train(run_downstream, store, tmp_path, "-f", "-c", "config_finetune.yaml", settings=settings)
    found = evaluate(run_downstream, tmp_path / "dev-best.ckpt")
    assert np.isfinite(found).all()
    assert (len(TAGS), 2 * 512) in weight_shapes(tmp_path / "dev-best.ckpt")


def test_a_head_that_knows_of_no_pooling_is_one_of_the_mean(run_downstream, store, tmp_path):
    now, before = tmp_path / "now", tmp_path / "before"
    train(run_downstream, store, now, upstream="fbank_no_cmvn")
    shutil.copytree(now, before)
    for name in ("dev-best.ckpt", "states-4.ckpt"):
        states = torch.load(before / name, weights_only=False)
        del states["Config"]["downstream_expert"]["modelrc"]["pooling"]
        assert "pooling" not in states["Downstream"]["_extra_state"]["head"]
        torch.save(states, before / name)
    expected = evaluate(run_downstream, now / "dev-best.ckpt")
    np.testing.assert_array_equal(evaluate(run_downstream, before / "dev-best.ckpt"), expected)
    run_downstream("-m", "train", "-e", before, "-o", "config.runner.total_steps=8")  # goes on
    assert (before / "states-8.ckpt").exists()
    with pytest.raises(SystemExit, match="^error: the checkpoint's head is .*pooling"):
        evaluate(run_downstream, before / "dev-best.ckpt", "-o", f"{HEAD}.pooling=mean_std")


def test_an_unknown_pooling_is_one_line(run_downstream, store, tmp_path):
    with pytest.raises(SystemExit, match="pooling 'max' is not one of mean, mean_std$") as caught:
        train(run_downstream, store, tmp_path, upstream="fbank_no_cmvn", settings=[f"{HEAD}.pooling=max"])
    assert "\n" not in str(caught.value)
