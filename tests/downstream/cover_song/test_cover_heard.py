"""A cover head is warned of, and its scores say so, where its upstream heard what is scored."""

import json
from collections import defaultdict

import numpy as np
import pytest
import torch
from s3prl.downstream.cover_song.expert import DownstreamExpert
from s3prl.pretrain.crops.heard import heard_record, heard_tracks
from split_store import split_store

from s3prl_pemr.store import AudioStore

SPLITS = ["train"] * 4 + ["valid"] * 4 + ["test"] * 4  # two works of two versions in each


class Log:
    def add_scalar(self, *_):
        pass


@pytest.fixture
def make_expert(tmp_path):
    """The expert on a store of one data set and a test store of another, after a pretraining on `split`."""
    own = split_store(tmp_path / "OWN", SPLITS, ("shs100k", "own"), samples=40_000)
    other = split_store(tmp_path / "OTHER", ["test"] * 4, ("covers80",), samples=40_000, seed=1)

    def make(split, pretrained_on=own, kind="upstream", mode="evaluate", evaluate_split="test"):
        store = AudioStore(pretrained_on)
        torch.save({"Heard": heard_record(store, heard_tracks(store, split))}, tmp_path / "states-1.ckpt")
        return DownstreamExpert(
            upstream_dim=4,
            upstream_rate=160,
            downstream_expert={
                "datarc": {"store": str(own), "test_stores": {"mine": str(other)}},
                "modelrc": {"kind": kind},
            },
            runner={"eval_dataloaders": ["dev"]},
            expdir=str(tmp_path),
            mode=mode,
            evaluate_split=evaluate_split,
            init_ckpt="x/dev-best.ckpt" if mode == "evaluate" else None,
            upstream="pemr_local",
            upstream_ckpt=str(tmp_path / "states-1.ckpt"),
        )

    make.other = other
    return make


def warned(caplog):
    lines = [line for line in caplog.messages if "pretrained on" in line]
    caplog.clear()
    return [line.partition(":")[0] for line in lines]


def test_scored_splits_that_were_heard_are_warned_of(make_expert, caplog):
    make_expert("auto")
    make_expert("auto", mode="train")
    make_expert("all", evaluate_split="train")  # the head has heard it too: no news
    make_expert("all", evaluate_split="mine")
    assert warned(caplog) == []
    make_expert("all")
    make_expert("all", mode="train")
    make_expert("auto", pretrained_on=make_expert.other, evaluate_split="mine")  # no train there: all of it
    assert warned(caplog) == ["test", "dev", "mine"]


def test_a_head_that_does_not_use_the_upstream_is_not_warned_of(make_expert, caplog):
    make_expert("all", kind="cqtnet")
    assert warned(caplog) == []


def test_scores_say_what_was_heard(make_expert, tmp_path):
    expert = make_expert("auto")
    expert._make_head(["label0", "label1"])
    records = defaultdict(list)
    records["embeddings"] = [np.random.default_rng(0).normal(size=(4, 3))]
    records["tracks"] = expert.splits["test"].names
    expert.log_records("test", records, Log(), 1)
    found = json.loads((tmp_path / "scores.json").read_text())["test"]["upstream_heard"]
    assert (found["data_set"], found["splits"]) == ("shs100k", {"train": 4})
    assert found["fingerprint"] == AudioStore(tmp_path / "OWN").fingerprint
