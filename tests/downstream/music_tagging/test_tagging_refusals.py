"""What the tagging expert does not take, and what it says then."""

from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from labelled_store import make_store
from tagging_evaluation import evaluate

from s3prl_pemr.loops.torchrun import LoopBar


def test_a_checkpoint_of_other_tags_is_refused(store, genre_store, make_expert, tmp_path):
    saved = make_expert(store).state_dict()
    other = make_store(
        tmp_path, {n: ([t], s, np.zeros(100)) for n, t, s in [("a", "x", "train"), ("b", "y", "train")]}
    )
    both = {"dev_split": "train"}
    with pytest.raises(ValueError, match="3 tags are not the 2 of .*only in the checkpoint: high tone, low"):
        make_expert(other, datarc=both).load_state_dict(saved)
    expert = make_expert(store)
    expert.names = expert.names[::-1]
    with pytest.raises(ValueError, match="the same ones in another order"):
        expert.load_state_dict(saved)
    with pytest.raises(ValueError, match="the checkpoint's task is tags, this run's genre"):
        make_expert(genre_store, task="genre").load_state_dict(saved)
    with pytest.raises(ValueError, match="the checkpoint's head is .*linear.*, this run's .*mlp"):
        make_expert(store, modelrc={"kind": "mlp"}).load_state_dict(saved)
    make_expert(store, modelrc={"hidden_dim": 7}).load_state_dict(saved)  # a linear head has none


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"datarc": {"split": "x"}}, "downstream_expert of the task's config: .*'split'"),
        ({"task": "covers"}, "task 'covers' is not one of tags, genre"),
        ({"modelrc": {"kind": "cnn"}}, "head 'cnn' is not one of linear, mlp"),
        ({"modelrc": {"hidden_dim": 0}}, "hidden_dim must be at least 1"),
        ({"top_tags": 0}, "top_tags must be at least 1"),
        ({"datarc": {"eval_batch_size": 0}}, "batch sizes and crop_samples must be at least 1"),
        ({"datarc": {"store": ""}}, "datarc.store is empty: name the folder .* -o config.downstream_expert"),
        ({"datarc": {"store": "nowhere"}}, "nowhere: not an audio store"),
        ({"datarc": {"dev_split": "dev"}}, "no track is in the split 'dev'; there are test: 8 .*valid: 8"),
        ({"runner": {"eval_dataloaders": ["valid"]}}, "unknown split 'valid': music_tagging has train, dev"),
        (
            {"mode": "evaluate", "evaluate_split": "tset", "init_ckpt": "x"},
            "unknown split 'tset': music_tagging has train, dev",
        ),
        ({"mode": "evaluate"}, "-m evaluate needs a trained head: pass -e EXPDIR"),
        ({"mode": "inference"}, "-m inference needs a trained head: pass -e EXPDIR"),
        ({"task": "genre"}, "one label a clip; 20 clips have another number, the first: clip00.wav has 0"),
    ],
)
def test_mistakes_are_said_in_one_line(store, make_expert, arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        make_expert(store, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "arguments", "message"),
    [
        (([], []), {}, "no track has a label; prepare it with"),
        ((["x"], ["x"]), {}, "none of 1 tags has clips with and clips without it.* from its 2 clips"),
        ((["x"], ["x"]), {"task": "genre"}, "two classes or more, there is only 'x'"),
    ],
)
def test_a_store_that_teaches_nothing_is_refused(tmp_path, make_expert, labels, arguments, message):
    clips = {name: (label, "train", np.full(2000, 0.1)) for name, label in zip("ab", labels, strict=True)}
    with pytest.raises(ValueError, match=message):
        make_expert(make_store(tmp_path, clips), datarc={"dev_split": "train"}, **arguments)


def test_a_clip_without_a_frame_is_named(store, make_expert):
    expert = make_expert(store)
    with pytest.raises(ValueError, match="b.wav: the upstream gives no frame for this clip"):
        expert("train", [torch.ones(2, 4), torch.ones(0, 4)], torch.zeros(2, 3), ["a.wav", "b.wav"],
               records=defaultdict(list))  # fmt: skip


def test_a_loss_that_is_not_finite_names_step_and_batch(store, make_expert, monkeypatch):
    monkeypatch.setattr(LoopBar, "overall", SimpleNamespace(n=6))
    with pytest.raises(
        ValueError, match=r"the loss is not finite at step 7; its batch: a\.wav \| b\.wav; go on"
    ):
        make_expert(store)("train", [torch.ones(2, 4), torch.full((2, 4), torch.nan)], torch.zeros(2, 3),
                           ["a.wav", "b.wav"], records=defaultdict(list))  # fmt: skip


def test_diverged_training_is_said(store, make_expert):
    with pytest.raises(ValueError, match="scores of 8 of 8 clips are NaN or infinite: training diverged"):
        evaluate(make_expert(store), "dev", step=1, weight=float("nan"))
