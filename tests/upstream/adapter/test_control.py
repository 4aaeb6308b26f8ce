"""The random control's statistics: those of made-up music, whatever network it is."""

import pytest
import torch
from s3prl import hub
from s3prl.upstream.adapter.control import CLIPS, control_clips, measure_statistics
from s3prl.upstream.adapter.expert import RandomUpstreamExpert
from torch import nn


def test_clips_are_the_same_and_differ_from_each_other():
    clips = control_clips(4_000)
    assert clips.shape == (CLIPS, 4_000)
    assert torch.equal(clips, control_clips.__wrapped__(4_000))
    assert clips.abs().max() <= 1
    levels = 20 * clips.square().mean(dim=1).sqrt().log10()
    assert levels.max() - levels.min() > 10  # dB


class Net(nn.Module):
    """A norm over waveforms, with a dropout before it that must not act."""

    samples_per_frame = 100

    def __init__(self):
        super().__init__()
        self.dropout, self.norm = nn.Dropout(0.9), nn.BatchNorm1d(1, momentum=0.1)

    def forward(self, wavs, lengths):
        return self.norm(self.dropout(3 * wavs + 1)[:, None]).transpose(1, 2)


def test_statistics_by_hand():
    net = Net()
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    measure_statistics(net)
    heard = 3 * control_clips(32_768) + 1
    assert net.norm.running_mean.item() == pytest.approx(heard.mean().item(), rel=1e-4)
    assert net.norm.running_var.item() == pytest.approx(heard.var().item(), rel=1e-4)
    assert net.norm.momentum == 0.1
    assert not any(module.training for module in net.modules())
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("name", ["pemr_random", "fcn", "musicnn"])
def test_features_have_a_scale_that_a_head_can_read(name):
    expert = getattr(hub, name)()
    assert not expert.model.training
    generator = torch.Generator().manual_seed(9)
    with torch.no_grad():
        vectors = torch.cat([
            expert([0.1 * (clip + 0.3) * torch.randn(49_000, generator=generator).cumsum(0).sin()])[
                "last_hidden_state"
            ].mean(dim=1)
            for clip in range(6)
        ])  # fmt: skip
    # with batch norm's untouched statistics: 0.015 for pemr_random
    assert vectors.std(dim=0).mean() > 0.1


def test_other_weights_have_statistics_of_their_own():
    expert = RandomUpstreamExpert(lambda: nn.Sequential())  # without norms: nothing to measure
    assert not expert.model.training
    random = hub.pemr_random()
    first = {key: value.clone() for key, value in random.model.state_dict().items()}
    again = hub.pemr_random().model.state_dict()
    assert all(torch.equal(value, again[key]) for key, value in first.items())
    random.reset_parameters(7)
    key = "encoder.blocks.3.norm.running_var"
    assert not torch.equal(random.model.state_dict()[key], first[key])
    assert not torch.equal(random.model.state_dict()[key], torch.ones_like(first[key]))
