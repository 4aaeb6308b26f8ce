"""The fixed set of clips: a transformer that sees places alone, and one that sees the music alone."""

import pytest
import torch
from s3prl.pretrain.pemr.corruption import CorruptionConfig
from s3prl.pretrain.pemr.examination import SHIFT_FRAMES, examine
from s3prl.pretrain.pemr.method import PemrMethod

HOP, CLIPS, SAMPLES = 128, 12, 12_800


@pytest.fixture
def crops():
    generator = torch.Generator().manual_seed(3)
    return 0.1 * torch.randn(2 * CLIPS, SAMPLES + SHIFT_FRAMES * HOP, generator=generator)


@pytest.fixture
def method(model_settings):
    torch.manual_seed(0)
    return PemrMethod(model_settings, "test")


def look(method, crops):
    return examine(method.model, crops, CorruptionConfig(), seed=0)


def test_masks_that_follow_the_place(method, crops):
    method.model.transformer.scale = 0.0  # positions alone are left
    found = look(method, crops).scalars
    assert found["mask_place_share"] == pytest.approx(1, abs=1e-6)
    assert found["mask_follows_place"] == pytest.approx(1, abs=1e-6)


def test_masks_that_follow_the_music(method, crops):
    method.model.transformer.scale = 1e4  # positions drown
    found = look(method, crops).scalars
    assert found["mask_follows_content"] > 0.9
    assert found["mask_place_share"] < 0.3  # 12 clips of unrelated music: 1 / 12
    assert abs(found["mask_follows_place"]) < 0.3


def test_values_and_picture(method, crops):
    first, again = look(method, crops), look(method, crops)
    assert first.scalars == again.scalars
    assert first.picture.ndim == 3
    assert first.picture.shape[2] == 3
    assert set(first.scalars) == {
        "mask_place_share", "mask_follows_content", "mask_follows_place", "masked_energy_percentile",
        "prediction_of_one", "interpolation_of_one", "mean_frame_of_one",
    }  # fmt: skip
    # white noise: a line between two neighbours is further off than the clip's mean
    assert first.scalars["interpolation_of_one"] > first.scalars["mean_frame_of_one"] > 0
    assert method.examined_extra_samples == SHIFT_FRAMES * HOP


def test_in_parts_as_in_one(method, crops, monkeypatch):
    whole = look(method, crops).scalars
    monkeypatch.setattr("s3prl.pretrain.pemr.examination.CLIPS_AT_ONCE", 5)
    assert look(method, crops).scalars == pytest.approx(whole, rel=1e-4)
