"""Clips in pieces: equal parts, in order, whatever they are batched with."""

import pytest
import torch
from s3prl.upstream.music_models.expert import PiecewiseExpert
from s3prl.upstream.music_models.pieces import AT_ONCE, piece_samples


class Counts(torch.nn.Module):
    """A frame is the mean of its 500 samples; the last of a piece is left out."""

    samples_per_frame, longest_samples = 500, 10_000

    def __init__(self):
        super().__init__()
        self.batches = []

    def forward(self, wavs):
        self.batches.append(tuple(wavs.shape))
        frames = wavs.unfold(1, 500, 500).mean(dim=-1, keepdim=True)[:, :-1]
        return {"hidden_states": [frames, -frames], "other": [frames * 2]}


@pytest.mark.parametrize(
    ("samples", "piece"), [(1, 100), (2_000, 2_000), (2_001, 1_100), (4_000, 2_000), (4_050, 1_400)]
)
def test_pieces_are_equal_and_whole_frames(samples, piece):
    assert piece_samples(samples, 2_000, 100) == piece


def ramp(samples, first=0.0):
    return first + torch.arange(samples) / 1e6


def test_pieces_stay_in_order_where_a_clip_is_as_long_as_another_ones_last_piece():
    clips = [ramp(6_500, -0.5), ramp(20_250), ramp(6_250, 0.5)]  # pieces of 7000, 7000, 6250
    expert = PiecewiseExpert(Counts())
    found = expert(clips)
    assert found["hidden_states"][0].shape == (3, 41, 1)
    frames = found["hidden_states"][0][1, :, 0]
    expected = ramp(20_250)[:20_000].unfold(0, 500, 500).mean(dim=1)
    kept = [frame for frame in range(40) if frame not in (13, 27, 39)]  # left out: the frame before
    torch.testing.assert_close(frames[kept], expected[kept])
    assert torch.equal(frames[[13, 27, 39, 40]], frames[[12, 26, 38, 38]])
    assert torch.equal(found["last_hidden_state"], -found["hidden_states"][0])
    assert torch.equal(found["other"], 2 * found["hidden_states"][0])
    assert sorted(expert.model.batches) == [(1, 6_500), (2, 6_250), (2, 7_000)]


def test_a_clip_alone_is_as_in_a_batch_and_padding_is_zero():
    clips = [ramp(6_500), ramp(49_500), ramp(200), ramp(6_500, 0.2)]
    expert = PiecewiseExpert(Counts())
    together = expert(clips)["hidden_states"][0]
    for clip, wav in enumerate(clips):
        (alone,) = expert([wav])["hidden_states"][0]
        assert torch.equal(together[clip, : len(alone)], alone)
        assert not together[clip, len(alone) :].any()


def test_no_more_than_so_many_pieces_at_once():
    expert = PiecewiseExpert(Counts())
    expert([ramp(10_000 * (AT_ONCE * 2 + 1))])
    assert [shape[0] for shape in expert.model.batches] == [AT_ONCE, AT_ONCE, 1]
