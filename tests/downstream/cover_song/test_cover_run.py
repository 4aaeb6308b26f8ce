"""run_downstream.py -d cover_song from the command line to the scores."""

import csv
import json

import pytest
import torch
from cover_store import cover_store, version
from s3prl import hub


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Four works in train, three in valid and test, three versions each of 3 to 5 s."""
    splits = ["train"] * 4 + ["valid"] * 3 + ["test"] * 3
    tracks = {
        f"{work}_{number}": (f"song {work}", split, version(work, number, 3 + number))
        for work, split in enumerate(splits)
        for number in range(3)
    }
    return cover_store(tmp_path_factory.mktemp("covers"), tracks)


@pytest.fixture(scope="module")
def test_store(tmp_path_factory):
    """A test set of its own: two works, two versions each, and one without a cover."""
    tracks = {
        f"{work}_{number}": (f"work {work}", "test", version(20 + work, number, 5))
        for work in range(3)
        for number in range(1 if work == 2 else 2)
    }
    return cover_store(tmp_path_factory.mktemp("covers80"), tracks)


def overrides(store, steps, *more):
    runner = f"config.runner.total_steps={steps},,config.runner.eval_step={steps}"
    saving = f"config.runner.save_step={steps},,config.runner.log_step=1"
    prefix = "config.downstream_expert"
    data = f"{prefix}.datarc.store={store},,{prefix}.datarc.train_batch_size=4"
    return ["-o", ",,".join([runner, saving, data, *(f"{prefix}.{setting}" for setting in more)])]


def scores(expdir):
    return json.loads((expdir / "scores.json").read_text())


def test_train_and_score_two_test_sets(run_downstream, store, test_store, tmp_path):
    crops = ("modelrc.kind=tppnet", "datarc.crop_columns=[6,8]")
    run_downstream(
        *("-m", "train", "-u", "fbank_no_cmvn", "-d", "cover_song", "-p", tmp_path),
        *overrides(store, 4, *crops, "datarc.num_workers=1"),
    )
    best = torch.load(tmp_path / "dev-best.ckpt")
    dev = scores(tmp_path)["dev"]
    assert dev["map"] == pytest.approx(best["Downstream"]["best_score"].item(), abs=1e-6)
    assert best["Downstream"]["_extra_state"]["works"] == [f"song {work}" for work in range(4)]
    assert best["Scheduler"]["heard"] == pytest.approx(dev["map"])  # applied with the next step

    run_downstream("-m", "evaluate", "-e", tmp_path / "dev-best.ckpt")
    mine = f"config.downstream_expert.datarc.test_stores.mine={test_store}"
    run_downstream("-m", "evaluate", "-e", tmp_path / "dev-best.ckpt", "-t", "mine", "-o", mine)
    run_downstream("-m", "evaluate", "-e", tmp_path / "dev-best.ckpt", "-t", "dev")
    found = scores(tmp_path)
    assert found["dev"]["map"] == dev["map"]
    assert (found["test"]["queries"], found["test"]["works"], found["test"]["distractors"]) == (9, 3, 0)
    assert (found["mine"]["queries"], found["mine"]["tracks"], found["mine"]["distractors"]) == (4, 5, 1)
    assert found["mine"]["with_distractors_as_queries"]["map"] == pytest.approx(found["mine"]["map"] * 4 / 5)
    assert found["test"]["checkpoint"] == "dev-best.ckpt"
    with (tmp_path / "per_query-mine.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    mean = sum(float(row["average_precision"]) for row in rows) / len(rows)
    assert mean == pytest.approx(found["mine"]["map"], abs=1e-5)
    assert (tmp_path / "retrieval-mine.png").exists()


def test_the_cache_of_features_is_met_by_a_frozen_upstream(run_downstream, store, tmp_path):
    # Training crops the CQT, not what the upstream hears: every waveform is a whole track.
    cache = tmp_path / "cache"
    for name in ("a", "b"):
        run_downstream(
            *("-m", "train", "-u", "fbank_no_cmvn", "-d", "cover_song", "-p", tmp_path / name),
            *("--feature_cache", cache),
            *overrides(store, 4, "modelrc.kind=upstream"),
        )
        kept = sorted(cache.rglob("*.npz"))
        assert len(kept) == 12 + 9  # train and dev, each once
    assert scores(tmp_path / "a")["dev"]["map"] == scores(tmp_path / "b")["dev"]["map"]


def test_fine_tuning_trains_the_upstream(run_downstream, store, tmp_path):
    run_downstream(
        *("-m", "train", "-u", "pemr_random", "-f", "-d", "cover_song", "-p", tmp_path),
        *overrides(store, 1, "modelrc.kind=upstream", "datarc.window_samples=16000", "datarc.windows=2"),
    )
    saved = torch.load(tmp_path / "states-1.ckpt")
    start = hub.pemr_random()
    start.reset_parameters(1337)  # the toolkit's default --seed
    name = next(name for name in saved["Upstream"] if "encoder" in name and name.endswith("weight"))
    assert 0 < (saved["Upstream"][name] - start.state_dict()[name]).abs().max().item() < 0.1
    assert scores(tmp_path)["dev"]["upstream_trainable"] is True


def test_mistakes_end_in_one_line(run_downstream, store, tmp_path):
    train = ("-m", "train", "-u", "fbank_no_cmvn", "-d", "cover_song", "-p", tmp_path)
    for arguments, line in (
        ((), "^error: datarc.store is empty"),
        (overrides(tmp_path / "nowhere", 1), "^error: .*nowhere: not an audio store"),
        (
            overrides(store, 1, "datarc.dev_split=validation"),
            "^error: .*no track is in the split 'validation'",
        ),
        (("-f", *overrides(store, 1)), "^error: -f trains an upstream that the head cqtnet does not use"),
    ):
        with pytest.raises(SystemExit, match=line) as caught:
            run_downstream(*train, *arguments)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["ready", "ftm2d"])
def test_what_comes_along_is_scored_without_a_checkpoint(run_downstream, store, test_store, tmp_path, kind):
    settings = {"datarc.store": store, "modelrc.kind": kind, "datarc.test_stores.mine": test_store}
    override = ",,".join(f"config.downstream_expert.{name}={value}" for name, value in settings.items())
    for split in ("test", "mine"):
        command = ("-m", "evaluate", "-u", "fbank_no_cmvn", "-d", "cover_song", "-p", tmp_path, "-t", split)
        aligned = ",,config.downstream_expert.modelrc.rerank=5" if split == "mine" else ""
        run_downstream(*command, "-o", override + aligned)
    found = scores(tmp_path)
    assert (found["test"]["aligned_candidates"], found["mine"]["aligned_candidates"]) == (0, 5)
    assert (found["test"]["queries"], found["mine"]["queries"]) == (9, 4)
    assert found["test"]["parameters_without_classifier"] == {"ready": 1_492_736, "ftm2d": 0}[kind]
    assert (found["test"]["head"], found["test"]["checkpoint"]) == (kind, None)
    with pytest.raises(SystemExit, match=f"the head {kind} has nothing to train: score it with -m evaluate"):
        train = ("-m", "train", "-u", "fbank_no_cmvn", "-d", "cover_song", "-p", tmp_path / "x")
        run_downstream(*train, "-o", override)
