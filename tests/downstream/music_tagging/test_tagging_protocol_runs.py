"""The protocols from the command line: segments with and without the cache, -f, few labels, named configs."""

import csv
import json

import numpy as np
import pytest
from labelled_store import make_store
from tagging_store import TAGS, all_combinations

DATA = "config.downstream_expert.datarc"
SHORT = ",,".join(f"config.runner.{key}={steps}" for key, steps in (
    ("total_steps", 4), ("eval_step", 2), ("save_step", 4), ("log_step", 1)))  # fmt: skip


@pytest.fixture(scope="module")
def silent_store(tmp_path_factory):
    """Two clips of the test split are silent, one of them shorter than a segment."""
    clips = dict(all_combinations(np.random.default_rng(0)))
    clips["clip24"] = ((), "test", np.zeros(16_000))
    clips["clip25"] = (("high tone",), "test", np.zeros(300))
    return make_store(tmp_path_factory.mktemp("silent"), clips)


def predictions(expdir):
    with (expdir / "predictions-test.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [row["track"] for row in rows], np.array([[float(row[tag]) for tag in TAGS] for row in rows])


def scores(expdir, split="test"):
    return json.loads((expdir / "scores.json").read_text())[split]


@pytest.mark.parametrize(("upstream", "silences"), [("fbank_no_cmvn", 2), ("pemr_random", 1)])
def test_segments_with_and_without_the_cache(run_downstream, silent_store, tmp_path, upstream, silences):
    run_downstream(
        *("-m", "train", "-u", upstream, "-d", "music_tagging", "-p", tmp_path),
        *(
            "-o",
            f"{DATA}.store={silent_store},,{SHORT},,{DATA}.train_batch_size=16,,config.optimizer.lr=0.03",
        ),
    )
    evaluation = ("-m", "evaluate", "-e", tmp_path / "dev-best.ckpt", "-o")
    evaluation += (
        f"config.downstream_expert.scoring=segments,,{DATA}.crop_samples=6000,,{DATA}.eval_batch_size=5",
    )
    run_downstream(*evaluation)
    tracks, plain = predictions(tmp_path)
    assert tracks == [f"clip{number}.wav" for number in range(24, 32)]
    assert scores(tmp_path)["scoring"] == "segments"
    assert np.isfinite(plain).all()
    # fbank gives the shorter clip of a batch one or two frames of zeros, and none where it is alone
    equal = [number for number in range(8) if upstream == "pemr_random" or number != 1]
    for _ in range(2):  # computed, then read
        run_downstream(*evaluation, "--feature_cache", tmp_path / "cache")
        assert predictions(tmp_path)[0] == tracks
        np.testing.assert_allclose(predictions(tmp_path)[1][equal], plain[equal], rtol=1e-3)
    # six clips of two segments, and silence: 8,193 samples for PEMR, 6,000 or 1,600 for fbank
    assert len(list((tmp_path / "cache").rglob("*.npz"))) == 6 * 2 + silences


def test_fine_tuning_by_its_config_with_few_labels(run_downstream, silent_store, tmp_path):
    few = f"{DATA}.label_fraction=0.5,,{DATA}.crop_samples=6000,,{DATA}.train_batch_size=8"
    run_downstream(
        *("-m", "train", "-u", "pemr_random", "-f", "-d", "music_tagging", "-c", "config_finetune.yaml"),
        *("-p", tmp_path, "-o", f"{DATA}.store={silent_store},,{SHORT},,{few}"),
    )
    dev = scores(tmp_path, "dev")
    assert (dev["clips"], dev["scoring"], dev["upstream_trainable"]) == (8, "segments", True)
    run_downstream("-m", "evaluate", "-e", tmp_path / "dev-best.ckpt")
    test = scores(tmp_path)
    assert (test["clips"], test["training_clips"], test["training_clips_of"]) == (8, 16, 32)
    assert (tmp_path / "per-tag-test.png").exists()
    assert np.isfinite(predictions(tmp_path)[1]).all()


def test_a_config_that_is_nowhere_is_one_line(run_downstream, tmp_path):
    with pytest.raises(
        SystemExit, match="^error: -c config_mlp.yaml: no such file; the task has config.yaml, config_d"
    ):
        run_downstream(
            *("-m", "train", "-u", "fbank_no_cmvn", "-d", "music_tagging", "-c", "config_mlp.yaml"),
            *("-p", tmp_path / "x"),
        )


def test_genre_by_its_config(run_downstream, genre_store, tmp_path):
    run_downstream(
        *(
            "-m",
            "train",
            "-u",
            "fbank_no_cmvn",
            "-d",
            "music_tagging",
            "-c",
            "config_gtzan.yaml",
            "-p",
            tmp_path,
        ),
        *("-o", f"{DATA}.store={genre_store},,{SHORT},,config.downstream_expert.modelrc.kind=mlp"),
    )
    run_downstream("-m", "evaluate", "-e", tmp_path / "dev-best.ckpt")
    test = scores(tmp_path)
    assert (test["task"], test["clips"], list(test["interval_95"])) == ("genre", 3, ["accuracy"])
