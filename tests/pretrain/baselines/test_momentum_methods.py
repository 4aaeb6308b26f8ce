"""MoCo's queue and key encoder, BYOL's target network."""

import copy

import pytest
import torch
import torch.nn.functional as F
from baseline_methods import CLIPS, batch, build, narrow
from s3prl.pretrain.baselines.byol import target_momentum
from s3prl.pretrain.baselines.moco import info_nce

from s3prl_pemr.methods import objective_class


def test_the_queue_begins_with_real_keys():
    method = build("moco")
    assert method.queue.shape == (24, 12)
    torch.testing.assert_close(method.queue.norm(dim=1), torch.ones(24))
    assert method.position.item() == 0
    for first in range(3):  # in the order that the batches came
        view = method.model.inputs(batch(method, 1000 + first)[0]).chunk(2)[1]
        torch.testing.assert_close(method.queue[CLIPS * first : CLIPS * (first + 1)], method.keys(view))


def test_the_queue_is_filled_where_bars_are_switched_off(monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    torch.testing.assert_close(build("moco").queue.norm(dim=1), torch.ones(24))


def test_a_step_takes_negatives_from_the_queue_and_puts_its_keys_where_the_oldest_were():
    method = build("moco")
    before = copy.deepcopy(method)
    wavs, _ = batch(method)
    loss, _ = method(wavs, None)
    view_a, view_b = before.model.inputs(wavs).chunk(2)
    keys = before.keys(view_b)
    queries = F.normalize(before.represent(view_a)[1], dim=1)
    torch.testing.assert_close(loss, info_nce(queries, keys, before.queue, 0.07))
    torch.testing.assert_close(method.queue[:CLIPS], keys)
    assert torch.equal(method.queue[CLIPS:], before.queue[CLIPS:])
    assert method.position.item() == CLIPS
    loss.backward()  # the queue has changed since
    for seed in (2, 3):
        method(*batch(method, seed))
    assert method.position.item() == 0  # 24 keys: once round


def test_keys_of_a_group_are_normalised_by_themselves():
    method = build("moco", key_groups=2)
    view = method.model.inputs(batch(method)[0]).chunk(2)[1]
    for group in (0, 1):
        alone = F.normalize(method.key_encoder(view[group::2]), dim=1)
        torch.testing.assert_close(method.keys(view)[group::2], alone)
    whole = F.normalize(method.key_encoder(view), dim=1)
    assert (method.keys(view) - whole).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("queue_size", "tracks", "expected"), [(24, 100, 24), (4080, 100, 96), (4080, 96, 88), (30, 100, 24)]
)
def test_the_queue_is_a_multiple_of_the_batch_below_the_store(queue_size, tracks, expected, caplog):
    method = objective_class("moco")(narrow("moco", queue_size=queue_size), "test")
    method.fit_data(tracks, batch_size=8, crop_samples=8_000)
    assert len(method.queue) == method.settings()["objective"]["queue_size"] == expected
    assert (f"queue_size {queue_size} becomes {expected}" in caplog.text) == (queue_size != expected)


def test_a_store_of_one_batch_cannot_fill_a_queue():
    method = objective_class("moco")(narrow("moco"), "test")
    with pytest.raises(ValueError, match="must be at least train_batch_size 8, and the 8 tracks more"):
        method.fit_data(8, batch_size=8, crop_samples=8_000)


def test_the_key_encoder_follows_after_the_step_and_has_no_gradient():
    method = build("moco")
    before = copy.deepcopy(method.key_encoder.state_dict())
    method(*batch(method))[0].backward()
    assert all(p.grad is None for p in method.key_encoder.parameters())
    with torch.no_grad():
        for p in method.model.encoder.parameters():
            p.add_(1.0)
    for name, value in before.items():  # neither weights nor running statistics move before the step is done
        assert torch.equal(method.key_encoder.state_dict()[name], value), name
    method.after_step(100)
    for name, fast in method.model.encoder.state_dict().items():
        slow = method.key_encoder.state_dict()[f"encoder.{name}"]
        if fast.is_floating_point():
            torch.testing.assert_close(slow, 0.9 * before[f"encoder.{name}"] + 0.1 * fast, msg=name)


def test_byol_s_target_follows_by_its_schedule_with_its_running_statistics():
    method = build("byol", momentum=0.8)
    for update in range(3):
        before = copy.deepcopy(method.target.state_dict())
        method(*batch(method, update))[0].backward()
        for name, value in before.items():
            assert torch.equal(method.target.state_dict()[name], value), name
        method.after_step(10)
        tau = target_momentum(0.8, torch.tensor(update), 10)
        for name, fast in method.model.encoder.state_dict().items():
            if fast.is_floating_point():
                expected = tau * before[f"encoder.{name}"] + (1 - tau) * fast
                torch.testing.assert_close(method.target.state_dict()[f"encoder.{name}"], expected, msg=name)
    assert method.updates.item() == 3
    assert all(p.grad is None for p in method.target.parameters())
    assert method.target.encoder.blocks[0].norm.running_mean.abs().max() > 0
