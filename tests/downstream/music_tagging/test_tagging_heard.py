"""A tagging head is warned of, and its scores say so, where its upstream heard what is scored."""

import json

import pytest
import torch
from s3prl.pretrain.crops.heard import heard_record, heard_tracks
from test_tagging_expert import evaluate

from s3prl_pemr.store import AudioStore


@pytest.fixture
def pretrained(store, tmp_path):
    """A checkpoint after a pretraining on `split` of the store: its path."""

    def make(split):
        audio = AudioStore(store)
        torch.save({"Heard": heard_record(audio, heard_tracks(audio, split))}, tmp_path / "states-1.ckpt")
        return str(tmp_path / "states-1.ckpt")

    return make


@pytest.mark.parametrize(
    ("heard", "split", "warned"),
    [("auto", "test", False), ("all", "test", True), ("all", "train", False), ("valid", "test", False)],
)
def test_an_evaluation(store, make_expert, pretrained, tmp_path, caplog, heard, split, warned):
    expert = make_expert(
        store, mode="evaluate", evaluate_split=split, init_ckpt="x", upstream_ckpt=pretrained(heard)
    )
    lines = [line for line in caplog.messages if "pretrained on" in line]
    assert [line.startswith(f"{split}: the upstream was") for line in lines] == [True] * warned
    evaluate(expert, split, weight=4.0)
    found = json.loads((tmp_path / "scores.json").read_text())[split]["upstream_heard"]
    counts = {"train": 32, "valid": 8, "test": 8}
    assert found["splits"] == {"auto": {"train": 32}, "all": counts, "valid": {"valid": 8}}[heard]
    assert (found["data_set"], found["fingerprint"]) == ("SRC", AudioStore(store).fingerprint)


@pytest.mark.parametrize(("heard", "splits"), [("auto", []), ("valid", ["dev"]), ("all", ["dev", "test"])])
def test_a_training_is_warned_of_the_splits_that_it_scores(
    store, make_expert, pretrained, caplog, heard, splits
):
    make_expert(
        store, runner={"eval_dataloaders": ["dev", "test"]}, upstream_ckpt=pretrained(heard)
    )  # fmt: skip
    lines = [line for line in caplog.messages if "pretrained on" in line]
    assert [line.partition(":")[0] for line in lines] == splits


def test_an_upstream_without_a_checkpoint(store, make_expert, tmp_path, caplog):
    evaluate(make_expert(store, mode="evaluate", init_ckpt="x", upstream="mel"), "test", weight=4.0)
    assert json.loads((tmp_path / "scores.json").read_text())["test"]["upstream_heard"] is None
    assert "pretrained on" not in caplog.text


def test_inference_looks_into_no_checkpoint(store, make_expert, pretrained):
    expert = make_expert(store, mode="inference", init_ckpt="x", upstream_ckpt=pretrained("all"))
    assert expert.reported["upstream_heard"] is None
