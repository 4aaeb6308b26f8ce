"""BERT's protocol: how many frames, what becomes of them, and that draws are their own."""

import numpy as np
import pytest
import torch
from s3prl.pretrain.crops.corruption import Corruption
from s3prl.pretrain.pemr.corruption import CorruptionConfig


def generators(count, seed=0):
    return [np.random.default_rng([seed, i]) for i in range(count)]


def test_fifteen_percent_in_three_kinds():
    clips, frames = 400, 338
    drawn = CorruptionConfig().draw(generators(clips), frames)
    assert (drawn.masked.sum(dim=1) == 51).all()  # round(0.15 * 338 = 50.7)
    own = torch.arange(frames).expand(clips, -1)
    zero, kept = drawn.source[drawn.masked] == -1, (drawn.source == own)[drawn.masked]
    # 20,400 draws: 5 standard deviations are 0.014 of .8 and 0.0105 of .1; 1/338 of the random ones is itself
    assert zero.float().mean().item() == pytest.approx(0.8, abs=0.014)
    assert kept.float().mean().item() == pytest.approx(0.1 + 0.1 / 338, abs=0.0105)
    assert torch.equal(drawn.source[~drawn.masked], own[~drawn.masked])


def test_apply_by_hand():
    frames = torch.tensor([[[1.0], [2.0], [3.0]]])
    corruption = Corruption(torch.tensor([[True, True, False]]), torch.tensor([[-1, 2, 2]]))
    assert corruption.apply(frames).flatten().tolist() == [0, 3, 3]
    assert frames.flatten().tolist() == [1, 2, 3]


def test_short_clips_mask_one_frame_and_ratio_zero_none():
    assert CorruptionConfig().draw(generators(3), 2).masked.sum(dim=1).tolist() == [1, 1, 1]
    assert CorruptionConfig(ratio=0.0).draw(generators(3), 50).masked.sum() == 0


def test_a_clips_draw_is_its_own():
    config = CorruptionConfig()
    three = config.draw(generators(3), 100)
    alone = config.draw(generators(3)[1:2], 100)
    assert torch.equal(three.masked[1], alone.masked[0])
    assert torch.equal(three.source[1], alone.source[0])
    assert not torch.equal(three.masked[0], three.masked[1])


@pytest.mark.parametrize("settings", [{"ratio": 1.2}, {"zero_share": 0.95}, {"random_share": -0.1}])
def test_settings_out_of_range_are_named(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        CorruptionConfig(**settings)


def runs(row):
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row, [0]])))
    return edges[1::2] - edges[::2]


def test_spans_are_as_many_frames_and_come_in_runs():
    frames, clips = 338, 200
    single, spans = (
        CorruptionConfig(span_frames=span).draw(generators(clips), frames) for span in ([1, 1], [6, 24])
    )
    assert torch.equal(spans.masked.sum(dim=1), single.masked.sum(dim=1))  # exactly round(0.15 * 338)
    lengths = np.concatenate([runs(row) for row in spans.masked.numpy()])
    assert lengths.mean() > 6
    assert np.concatenate([runs(row) for row in single.masked.numpy()]).mean() < 1.5
    own = torch.arange(frames).expand(clips, -1)
    zero, kept = spans.source[spans.masked] == -1, (spans.source == own)[spans.masked]
    # some 900 spans: 5 standard deviations of a share of .8 are .07
    assert zero.float().mean().item() == pytest.approx(0.8, abs=0.07)
    assert kept.float().mean().item() == pytest.approx(0.1, abs=0.05)
    assert torch.equal(spans.source[~spans.masked], own[~spans.masked])
    random = (spans.source >= 0) & (spans.source != own) & spans.masked
    moved = (spans.source - own)[random].numpy()
    assert len(np.unique(moved)) < len(moved) / 4  # a run is replaced by a run, not frame by frame


def test_spans_longer_than_the_clip_fit():
    drawn = CorruptionConfig(ratio=0.5, span_frames=[30, 40]).draw(generators(3), 10)
    assert (drawn.masked.sum(dim=1) == 5).all()
    with pytest.raises(ValueError, match=r"span_frames \[3, 2\] is not"):
        CorruptionConfig(span_frames=[3, 2])
