import json
import logging

import numpy as np
import pytest
import soundfile
import torch
from labelled_store import make_store
from tagging_evaluation import evaluate, told
from tagging_store import TAGS


def test_a_better_dev_score_asks_for_a_checkpoint(store, make_expert, tmp_path):
    expert = make_expert(store)
    assert evaluate(expert, "dev", step=1, weight=-4.0)[0] == ["dev-best.ckpt"]  # every order is wrong: 0
    assert expert.best_score.item() == 0.0
    names, scalars = evaluate(expert, "dev", step=2, weight=4.0)
    assert names == ["dev-best.ckpt"]
    assert expert.best_score.item() == scalars["music_tagging/dev-roc_auc"] == 1.0
    assert scalars["music_tagging/dev-pr_auc"] == 1.0
    # logits are +-2: every binary cross-entropy is log(1 + e^-2) = 0.1269
    assert scalars["music_tagging/dev-loss"] == pytest.approx(0.1269, abs=1e-4)
    assert evaluate(expert, "dev", step=3, weight=8.0)[0] is None  # no better
    assert evaluate(expert, "test", step=4, weight=4.0)[0] is None  # not the split to choose by
    written = json.loads((tmp_path / "scores.json").read_text())
    assert written["dev"]["loss"] == pytest.approx(0.1269, abs=1e-4)  # that of the best, not of the last


def test_best_score_survives_a_checkpoint(store, make_expert):
    expert = make_expert(store)
    evaluate(expert, "dev", step=1, weight=4.0)
    resumed = make_expert(store)
    resumed.load_state_dict(expert.state_dict())
    assert evaluate(resumed, "dev", step=2)[0] is None


def test_predictions_and_scores_are_written(store, make_expert, tmp_path):
    expert = make_expert(
        store, mode="evaluate", evaluate_split="test", upstream="some", init_ckpt="x/dev-best.ckpt", seed=7
    )
    evaluate(expert, "test", weight=4.0)
    header, *lines = (tmp_path / "predictions-test.tsv").read_text().splitlines()
    assert header.split("\t") == ["track", *TAGS]
    assert len(lines) == 8
    # clip25 is combination 25 % 8 = 1: a high tone alone; sigmoid(2) = 0.880797, sigmoid(-2) = 0.119203
    assert lines[1].split("\t") == ["clip25.wav", "0.880797", "0.119203", "0.119203"]
    scores = json.loads((tmp_path / "scores.json").read_text())["test"]
    assert scores["roc_auc"] == scores["pr_auc"] == 1.0
    assert (scores["clips"], scores["tags"], scores["left_out"]) == (8, 3, [])
    assert (scores["checkpoint"], scores["upstream"], scores["seed"]) == ("dev-best.ckpt", "some", 7)
    assert scores["head_parameters"] == 4 * 3 + 3
    assert expert.best_score.item() == -np.inf  # an evaluation chooses nothing
    assert "calibration" not in scores  # nor does it know of a dev split


def test_the_temperature_of_the_best_dev_divides_what_inference_prints(store, make_expert, capsys):
    trained = make_expert(store)
    evaluate(trained, "dev", weight=4.0)
    trained.temperature = 2.0  # dev, told apart perfectly, gave 1
    scored = make_expert(store, mode="evaluate", evaluate_split="test", init_ckpt="x/dev-best.ckpt")
    scored.load_state_dict(trained.state_dict())
    scores = evaluate(scored, "test", weight=4.0) and json.loads((scored.expdir / "scores.json").read_text())
    # what is right is said with sigmoid(1) and with sigmoid(2)
    assert scores["test"]["calibration"] == pytest.approx(
        {
            "temperature": 2.0,
            "expected_calibration_error": 1 - 0.731059,
            "expected_calibration_error_uncalibrated": 1 - 0.880797,
        },
        abs=1e-5,
    )
    heard = make_expert("", mode="inference", init_ckpt="some.ckpt", top_tags=1, evaluate_split="song.ogg")
    heard.load_state_dict(trained.state_dict())
    capsys.readouterr()
    with torch.no_grad():
        for name in ("one", "two"):
            heard.eval().inference(told(torch.tensor([[0.0, 1.0, 0.0]])), [name])
    printed = capsys.readouterr()
    assert printed.out == "one\n  0.731  low tone\ntwo\n  0.731  low tone\n"
    assert printed.err.count("the head was trained on 32 clips of ") == 1


def test_the_loss_of_a_split_counts_clips_not_batches(store, make_expert):
    one, two = (make_expert(store, datarc={"eval_batch_size": size}) for size in (8, 3))
    losses = [evaluate(expert, "dev")[1]["music_tagging/dev-loss"] for expert in (one, two)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_training_batches(store, make_expert):
    frozen, trained = (
        make_expert(store, upstream_trainable=f, datarc={"crop_samples": 4000}) for f in (False, True)
    )
    lengths = {len(wav) for wavs, *_ in frozen.get_dataloader("train", epoch=0) for wav in wavs}
    assert lengths == {16_000}
    assert {len(wav) for wavs, *_ in trained.get_dataloader("train", epoch=0) for wav in wavs} == {4000}
    assert {len(wav) for wavs, *_ in trained.get_dataloader("train") for wav in wavs} == {16_000}  # -t train


def order(expert, epoch):
    return [name for *_, names in expert.get_dataloader("train", epoch=epoch) for name in names]


def test_the_order_is_drawn_from_seed_and_epoch(store, make_expert):
    expert = make_expert(store, seed=1, datarc={"train_batch_size": 5})
    first = order(expert, 3)
    again = make_expert(store, seed=1, datarc={"train_batch_size": 5})
    torch.manual_seed(5)  # what else has been drawn does not count
    assert order(again, 3) == first
    assert sorted(first) != first != order(expert, 4) != order(make_expert(store, seed=2), 4)
    assert len(set(first)) == 32


def test_genre_is_softmax_and_accuracy(genre_store, make_expert, tmp_path):
    expert = make_expert(genre_store, task="genre", top_tags=1)
    names, scalars = evaluate(expert, "dev", step=1, weight=4.0)
    assert names == ["dev-best.ckpt"]
    assert scalars["music_tagging/dev-accuracy"] == expert.best_score.item() == 1.0
    assert "music_tagging/dev-roc_auc" not in scalars
    # logits 2, -2, -2: -log(1 / (1 + 2 e^-4)) = 0.0360
    assert scalars["music_tagging/dev-loss"] == pytest.approx(0.0360, abs=1e-4)
    row = (tmp_path / "predictions-dev.tsv").read_text().splitlines()[1].split("\t")[1:]
    assert sum(map(float, row)) == pytest.approx(1, abs=1e-5)


def test_tags_that_cannot_be_scored_are_named_once(tmp_path, make_expert, caplog):
    wav = np.full(2000, 0.1)
    clips = {
        "a": (["x", "rare"], "train", wav),
        "b": (["y"], "train", wav),
        "c": (["x"], "valid", wav),
        "d": (["y"], "valid", wav),
    }
    expert = make_expert(make_store(tmp_path, clips))
    assert expert.names == ["rare", "x", "y"]
    evaluate(expert, "dev", step=1)
    evaluate(expert, "dev", step=2)
    assert caplog.text.count("dev: left out of the scores, without positives or without negatives: rare") == 1
    assert json.loads((tmp_path / "scores.json").read_text())["dev"]["left_out"] == ["rare"]


def test_a_tag_that_training_never_has_and_short_clips_are_told(tmp_path, make_expert, caplog):
    long, short = np.full(2000, 0.1), np.full(300, 0.1)
    clips = {
        "a": (["x"], "train", long),
        "b": ([], "train", short),
        "c": (["x", "new"], "valid", long),
        "d": ([], "valid", long),
    }
    with caplog.at_level(logging.WARNING):
        make_expert(make_store(tmp_path, clips))
    assert "split 'train': no clip has new; it cannot be learned" in caplog.text
    assert "split 'train': 1 clips are shorter than 1600 samples and end in silence" in caplog.text


def test_inference_needs_no_store(store, make_expert, tmp_path, capsys):
    trained = make_expert(store)
    evaluate(trained, "dev", weight=4.0)
    expert = make_expert("", mode="inference", init_ckpt="some.ckpt", top_tags=2, evaluate_split="song.ogg")
    expert.load_state_dict(trained.state_dict())
    expert.eval()
    soundfile.write(tmp_path / "song.ogg", np.full((100, 2), 0.25), 8000)
    assert expert.load_audio(tmp_path / "song.ogg").shape == (1600,)  # 200 samples at 16 kHz, padded
    capsys.readouterr()
    with torch.no_grad():
        expert.inference(told(torch.tensor([[0.0, 1.0, 0.0]])), ["song"])
    assert capsys.readouterr().out == "song\n  0.881  low tone\n  0.119  high tone\n"


def test_inference_says_where_channels_cancel(make_expert, tmp_path, caplog):
    expert = make_expert("", mode="inference", init_ckpt="some.ckpt")
    tone = 0.3 * np.sin(np.arange(8_000) / 8)
    for name, right in (("wide", tone[::-1]), ("anti", -tone)):
        soundfile.write(tmp_path / f"{name}.wav", np.stack([tone, right], 1), 16_000, subtype="FLOAT")
        expert.load_audio(tmp_path / f"{name}.wav")
    assert [record.message for record in caplog.records] == [
        f"{tmp_path / 'anti.wav'}: cancelled: mono has 0e+00 of the energy of its channels"
    ]
