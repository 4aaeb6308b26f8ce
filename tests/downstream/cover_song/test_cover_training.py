"""A training step: its loss, precision, and the warning of a rate that does not work."""

import pytest
import torch
from cover_store import cover_store, version
from s3prl.downstream.cover_song.config import HeadConfig
from s3prl.downstream.cover_song.cqt.columns import pad_columns
from s3prl.downstream.cover_song.expert import DownstreamExpert
from s3prl.downstream.cover_song.head_state import head_state
from s3prl.downstream.cover_song.model import CoverHead
from s3prl.downstream.cover_song.training import class_loss, warn_of_rate


@pytest.fixture
def head():
    torch.manual_seed(0)
    return CoverHead("tppnet", 1, 3)


def step(head, precision):
    head.zero_grad()
    torch.manual_seed(1)
    crops, classes = torch.rand(3, 84, 110), torch.tensor([0, 1, 2])
    loss, accuracy = class_loss(head, None, crops, classes, precision)
    loss.backward()
    return loss, accuracy, head.network.fc0.weight.grad.clone()


def test_half_precision_is_about_the_same_step_with_a_loss_in_float32(head):
    loss, accuracy, gradient = step(head, "fp32")
    half, _, rough = step(head, "bf16")
    assert accuracy * 3 == pytest.approx(round(accuracy * 3))
    assert half.dtype == loss.dtype == torch.float32 and rough.dtype == torch.float32
    assert half.item() != loss.item() and half.item() == pytest.approx(loss.item(), rel=0.02)
    assert torch.cosine_similarity(gradient.flatten(), rough.flatten(), dim=0) > 0.95


def test_the_loss_is_that_of_logits_worked_out_by_hand(head):
    with torch.no_grad():
        head.classifier[1].weight.zero_()
        head.classifier[1].bias.copy_(torch.tensor([2.0, 0.0, 0.0]))
    loss, accuracy, _ = step(head, "fp32")
    # log(e^2 + 2) = 2.23954 less the logit of the right class: 2, 0, 0
    assert loss.item() == pytest.approx(2.23954 - 2 / 3, abs=1e-5)
    assert accuracy == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("rate", "tracks", "warned"), [(1e-3, 32, False), (1e-3, 31, True), (3e-4, 8, False), ("1.0e-3", 8, True)]
)
def test_high_rates_of_small_batches_are_advised_against(caplog, rate, tracks, warned):
    warn_of_rate({"lr": rate}, tracks)
    assert len(caplog.messages) == warned
    if warned:
        assert f"a learning rate of 0.001 with batches of {tracks} tracks" in caplog.text
        assert "-o config.optimizer.lr=0.0003" in caplog.text


def test_no_optimizer_no_warning(caplog):
    warn_of_rate(None, 8)
    assert not caplog.messages


def test_another_precision_is_refused():
    with pytest.raises(ValueError, match="precision 'fp16' is not one of fp32, bf16, auto"):
        HeadConfig(precision="fp16")


@pytest.mark.parametrize(("rate", "warned"), [(1e-3, 1), (3e-4, 0)])
def test_a_run_warns_of_its_optimizers_rate(tmp_path, caplog, rate, warned):
    tracks = {
        f"{work}_{number}": (str(work), "train" if work < 2 else "valid", version(work, number, 3))
        for work in range(3)
        for number in (0, 1)
    }
    settings = {
        "datarc": {"store": str(cover_store(tmp_path / "store", tracks)), "train_batch_size": 8},
        "modelrc": {"kind": "kinet"},
    }
    DownstreamExpert(
        settings,
        {"eval_dataloaders": ["dev"]},
        optimizer={"name": "TorchOptim", "lr": rate},
        upstream_dim=4,
        upstream_rate=160,
        expdir=str(tmp_path),
    )
    assert len([line for line in caplog.messages if "a learning rate of 0.001" in line]) == warned


@pytest.mark.parametrize(("crop_columns", "columns"), [([135], 135), ([172, 300], 172), ([200, 300], 200)])
def test_short_tracks_are_filled_up_as_in_training(crop_columns, columns):
    """Up to the authors' 200 columns."""
    settings = {"datarc": {"crop_columns": crop_columns}, "modelrc": {"kind": "kinet"}}
    expert = DownstreamExpert(
        settings, {}, upstream_dim=1, upstream_rate=160, mode="inference", expdir="", init_ckpt="x.ckpt"
    )
    expert.set_extra_state(head_state("kinet", 1, ["a", "b"], 2))
    expert.eval()
    track = torch.rand(84, 100)
    with torch.no_grad():
        embedded = expert.embed([], [track], ["track"])
        expected = expert.head(None, pad_columns(track, columns)[None, None])
        other = expert.head(None, pad_columns(track, columns + 20)[None, None])
    assert torch.equal(embedded, expected) and not torch.allclose(embedded, other)
