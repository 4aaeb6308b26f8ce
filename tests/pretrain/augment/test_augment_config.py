"""The augmentation's ranges: usable from yaml, and refused by name."""

import pytest
from omegaconf import OmegaConf
from s3prl.pretrain.augment import AugmentConfig


def test_defaults_survive_a_round_trip_through_omegaconf():
    merged = OmegaConf.merge(OmegaConf.structured(AugmentConfig), {"gain_probability": 1.0})
    assert OmegaConf.to_object(merged) == AugmentConfig(gain_probability=1.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("polarity_probability", 1.1),
        ("noise_probability", -0.1),
        ("pitch_probability", float("nan")),
        ("high_pass_share", 2.0),
        ("delay_volume", -1.0),
        ("noise_min_ratio", 0.1),  # above noise_max_ratio
        ("noise_min_ratio", 0.0),  # 0 is "off"
        ("gain_min_db", 0.0),  # above gain_max_db
        ("high_pass_min_hz", 1300.0),
        ("low_pass_min_hz", -5.0),
        ("delay_min_ms", 451),
        ("delay_step_ms", 0),
        ("pitch_max_cents", 1201),
        ("pitch_max_cents", -1),
    ],
)
def test_errors_name_the_field_in_one_line(field, value):
    with pytest.raises(ValueError, match=rf"^{field}: [^\n]+$"):
        AugmentConfig(**{field: value})
