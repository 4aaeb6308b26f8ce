"""The expert as the toolkit calls it: losses, embeddings, scores, and what a checkpoint holds."""

import json
import logging
from collections import defaultdict
from itertools import islice

import numpy as np
import pytest
import torch
from cover_store import cover_store, version
from s3prl.downstream.cover_song.expert import DownstreamExpert
from s3prl.downstream.cover_song.model import CQTNet

SPLITS = {1: "train", 2: "train", 3: "valid", 4: "valid"}


class Log:
    def __init__(self):
        self.scalars = {}

    def add_scalar(self, tag, value, global_step):
        self.scalars[tag] = value


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two works in train and two in valid, two versions each, 3 s and more."""
    tracks = {
        f"{work}_{number}": (str(10 * work), split, version(work, number, 3 + number))
        for work, split in SPLITS.items()
        for number in (0, 1)
    }
    return cover_store(tmp_path_factory.mktemp("expert"), tracks)


@pytest.fixture
def make_expert(store, tmp_path):
    """DownstreamExpert as the toolkit makes it, on 4-d features."""

    def make(kind="upstream", mode="train", datarc=None, modelrc=None, **arguments):
        torch.manual_seed(0)
        return DownstreamExpert(
            upstream_dim=arguments.pop("upstream_dim", 4),
            upstream_rate=160,
            downstream_expert={
                "datarc": {"store": str(store), "crop_columns": [180], **(datarc or {})},
                "modelrc": {"kind": kind, **(modelrc or {})},
            },
            runner={"eval_dataloaders": ["dev"]},
            expdir=str(tmp_path),
            mode=mode,
            **arguments,
        )

    return make


def features_of(wavs, dim=4):
    """A made-up upstream: its frames tell the waveform's deviation."""
    return [torch.full((3, dim), float(np.std(wav)) * 100) for wav in wavs]


def evaluate(expert, split="dev", step=0, features=features_of):
    """What the toolkit does: a batch after the other, a defaultdict for the records."""
    expert.eval()
    records, log = defaultdict(list), Log()
    with torch.no_grad():
        for wavs, *others in expert.get_dataloader(split):
            expert(split, features(wavs), *others, records=records, batch_id=0)
    names = expert.log_records(
        split, records=records, logger=log, global_step=step, batch_ids=[0], total_batch_num=1
    )
    return names, log.scalars


@pytest.mark.parametrize("kind", ["upstream", "cqtnet", "tppnet", "kinet", "upstream+cqtnet"])
def test_a_step_of_every_head_trains_all_of_it(make_expert, kind):
    expert = make_expert(kind).train()
    records = defaultdict(list)
    wavs, *others = next(iter(expert.get_dataloader("train", epoch=0)))
    assert len(wavs) == (4 if "upstream" in kind else 1)
    loss = expert("train", features_of(wavs), *others, records=records)
    loss.backward()
    assert all(parameter.grad is not None for parameter in expert.parameters())
    assert records["loss"] == [loss.item()]
    log = Log()
    assert expert.log_records("train", records=records, logger=log, global_step=1) is None
    assert set(log.scalars) == {"cover_song/train-loss", "cover_song/train-accuracy"}


def test_the_loss_is_cross_entropy_over_the_training_works(make_expert):
    expert = make_expert("upstream").train()
    assert expert.works == ["10", "20"]  # labels with gaps: classes 0 and 1
    with torch.no_grad():
        expert.head.classifier[1].weight.zero_()
        expert.head.classifier[1].bias.copy_(torch.tensor([0.0, 1.0]))
    wavs, cqts, classes, names = next(iter(expert.get_dataloader("train", epoch=0)))
    assert {name[0]: number for name, number in zip(names, classes.tolist(), strict=True)} == {"1": 0, "2": 1}
    records = defaultdict(list)
    loss = expert("train", features_of(wavs), cqts, classes, names, records=records)
    # logits 0 and 1: -log(1 / (1 + e)) = 1.3133 for two tracks, -log(e / (1 + e)) = 0.3133 for two
    assert loss.item() == pytest.approx((1.3133 + 0.3133) / 2, abs=1e-4)
    assert records["accuracy"] == [0.5]


def test_windows_of_a_track_are_averaged(make_expert):
    expert = make_expert("upstream", upstream_trainable=True, datarc={"windows": 3}).train()
    wavs, *_ = next(iter(expert.get_dataloader("train", epoch=0)))
    assert len(wavs) == 4 * 3
    features = [torch.full((2, 4), float(number)) for number in range(12)]
    assert expert._upstream_mean(features, list("abcd"))[:, 0].tolist() == [1, 4, 7, 10]


def test_embeddings_do_not_depend_on_the_batch(make_expert):
    whole = {}
    for size in (1, 3):
        expert = make_expert("kinet", datarc={"eval_batch_size": size}).eval()
        records = defaultdict(list)
        with torch.no_grad():
            for wavs, *others in expert.get_dataloader("dev"):
                expert("dev", features_of(wavs), *others, records=records)
        whole[size] = np.concatenate(records["embeddings"])
    assert whole[1].shape == (4, 128)
    np.testing.assert_allclose(whole[1], whole[3], rtol=1e-5, atol=1e-6)


def test_the_best_dev_map_asks_for_a_checkpoint(make_expert, tmp_path, caplog):
    expert = make_expert("upstream")

    def telling(order):
        """Features in which the tracks of valid (works 30 30 40 40) point at these angles."""
        angles = iter(order)

        def features(wavs):
            return [torch.tensor([[np.cos(a), np.sin(a), 0, 0]]).float() for a in islice(angles, len(wavs))]

        return features

    with torch.no_grad():
        expert.head.projection.weight.copy_(torch.eye(300, 4))
        expert.head.projection.bias.zero_()
    # covers at ranks 2, 3, 3, 2 -> AP 1/2, 1/3, 1/3, 1/2
    names, scalars = evaluate(expert, step=1, features=telling([0, 0.3, 0.1, 0.4]))
    assert names == ["dev-best.ckpt"]
    assert scalars["cover_song/dev-map"] == pytest.approx(5 / 12)
    caplog.set_level(logging.INFO)
    names, scalars = evaluate(expert, step=2, features=telling([0, 0.1, 0.5, 0.6]))
    assert names == ["dev-best.ckpt"]
    assert scalars["cover_song/dev-map"] == expert.best_score.item() == 1.0
    assert scalars["cover_song/dev-mr1"] == 1.0
    assert "dev: MAP 1.0000, P@10 0.1000, MR1 1.00, 4 queries of 2 works among 4 tracks" in caplog.text
    assert evaluate(expert, step=3, features=telling([0, 0.1, 0.5, 0.6]))[0] is None  # no better

    dev = json.loads((tmp_path / "scores.json").read_text())["dev"]
    assert (dev["map"], dev["queries"], dev["works"], dev["head"]) == (1.0, 4, 2, "upstream")
    assert dev["random_ranking"]["mr1"] == pytest.approx(2.0)  # one cover among three
    assert (dev["ceilings"]["map"], dev["interval_95_over_works"]["map"]) == (1.0, [1.0, 1.0])
    assert dev["parameters_without_classifier"] == 4 * 300 + 300
    lines = (tmp_path / "per_query-dev.tsv").read_text().splitlines()
    assert lines[1].split("\t") == ["3_0.wav", "30", "1", "1.000000", "1", "1", "3_1.wav", "1.000000"]
    assert (tmp_path / "retrieval-dev.png").stat().st_size > 1_000


def test_a_part_of_a_split_is_scored_by_itself(make_expert, caplog):
    expert = make_expert("upstream", datarc={"eval_batch_size": 2}).eval()
    records = defaultdict(list)
    wavs, *others = next(iter(expert.get_dataloader("dev")))  # as with evaluate_ratio
    with torch.no_grad():
        expert("dev", features_of(wavs), *others, records=records)
    caplog.set_level(logging.INFO)
    expert.log_records("dev", records=records, logger=Log(), global_step=1)
    assert "MAP 1.0000, P@10 0.1000, MR1 1.00, 2 queries of 1 works among 2 tracks" in caplog.text


def test_a_collapsed_network_is_told(make_expert, caplog):
    evaluate(make_expert("upstream"), features=lambda wavs: [torch.ones(1, 4) for _ in wavs])
    assert "tracks with equal embeddings; in another order the MAP is 0.3333 to 1.0000" in caplog.text


def test_embeddings_that_are_not_finite_are_named(make_expert):
    with pytest.raises(ValueError, match="dev: the embeddings of 4 of 4 tracks are NaN .* first: 3_0.wav"):
        evaluate(make_expert("upstream"), features=lambda wavs: [torch.full((1, 4), torch.nan) for _ in wavs])


def test_a_track_without_a_frame_is_named(make_expert):
    with pytest.raises(ValueError, match="one of 3_0.wav, .* is too short for a frame"):
        evaluate(make_expert("upstream"), features=lambda wavs: [torch.zeros(0, 4) for _ in wavs])


def test_the_checkpoint_knows_its_works_and_its_features(make_expert):
    trained = make_expert("cqtnet")
    state = trained.state_dict()
    assert state["_extra_state"]["works"] == ["10", "20"]
    assert state["_extra_state"]["cqt"]["hop_samples"] == 256
    scoring = make_expert("cqtnet", mode="evaluate", evaluate_split="dev", init_ckpt="x/dev-best.ckpt")
    scoring.load_state_dict(state)
    assert torch.equal(scoring.head.network.fc0.weight, trained.head.network.fc0.weight)
    make_expert("cqtnet", upstream_dim=9).load_state_dict(state)  # it does not use the upstream

    other = {**state, "_extra_state": {**state["_extra_state"], "works": ["10", "30"]}}
    with pytest.raises(ValueError, match="tells 2 works apart, which are not the 2 of"):
        make_expert("cqtnet").load_state_dict(other)
    cqt = {**state["_extra_state"]["cqt"], "hop_samples": 512}
    other = {**state, "_extra_state": {**state["_extra_state"], "cqt": cqt}}
    with pytest.raises(ValueError, match="the checkpoint's cqt is .*512"):
        make_expert("cqtnet").load_state_dict(other)
    with pytest.raises(ValueError, match="the checkpoint's head is cqtnet, this run's tppnet"):
        make_expert("tppnet").load_state_dict(state)


def test_published_weights_are_where_training_starts(make_expert, tmp_path):
    source = CQTNet()
    path = tmp_path / "published.pth"
    torch.save({**source.state_dict(), "fc1.weight": torch.zeros(1), "fc1.bias": torch.zeros(1)}, path)
    expert = make_expert("upstream+cqtnet", modelrc={"cqtnet_weights": str(path)})
    assert torch.equal(expert.head.network.fc0.weight, source.fc0.weight)
    for content, line in ((b"text", "no file of weights"), (None, "no such file")):
        path.unlink(missing_ok=True)
        if content:
            path.write_bytes(content)
        with pytest.raises(ValueError, match=f"cqtnet_weights .*: {line}") as caught:
            make_expert("cqtnet", modelrc={"cqtnet_weights": str(path)})
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            {"upstream_trainable": True, "kind": "cqtnet"},
            "-f trains an upstream that the head cqtnet does not",
        ),
        ({"mode": "evaluate"}, "-m evaluate needs a trained head"),
        ({"kind": "resnet"}, "head 'resnet' is not one of cqtnet, tppnet"),
        ({"datarc": {"crop_colums": [1]}}, "Key 'crop_colums' not in 'DataConfig'"),
        ({"datarc": {"train_batch_size": 1}}, "train_batch_size must be at least 2"),
        ({"modelrc": {"cqtnet_weights": "x"}}, "the head upstream has no CQT-Net"),
        ({"mode": "evaluate", "init_ckpt": "x", "evaluate_split": "shs"}, "unknown split 'shs'"),
    ],
)
def test_wrong_settings_are_one_line(make_expert, arguments, line):
    with pytest.raises(ValueError, match=line) as caught:
        make_expert(**arguments)
    assert "\n" not in str(caught.value)


def test_inference_says_where_to_go(make_expert):
    with pytest.raises(ValueError, match="s3prl-pemr covers"):
        make_expert(mode="inference", init_ckpt="x").inference([], [])
