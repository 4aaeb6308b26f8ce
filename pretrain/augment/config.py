"""Probabilities and ranges of the augmentation; the defaults are CLMR's, without reverb."""

from dataclasses import dataclass, fields


@dataclass
class AugmentConfig:
    """Each transform is applied with its probability, independently; every range is drawn from uniformly."""

    polarity_probability: float = 0.8
    noise_probability: float = 0.01
    noise_min_ratio: float = 1e-4  # of the clip's standard deviation: 80 dB SNR
    noise_max_ratio: float = 1e-2  # 40 dB SNR
    gain_probability: float = 0.3
    gain_min_db: float = -20.0
    gain_max_db: float = -1.0
    filter_probability: float = 0.8
    high_pass_share: float = 0.5  # of the filtered clips; the rest are low-passed
    high_pass_min_hz: float = 200.0
    high_pass_max_hz: float = 1200.0
    low_pass_min_hz: float = 2200.0
    low_pass_max_hz: float = 4000.0
    delay_probability: float = 0.3
    delay_min_ms: int = 200
    delay_max_ms: int = 450  # inclusive; CLMR writes 500, which its numpy range leaves out
    delay_step_ms: int = 50
    delay_volume: float = 0.5
    pitch_probability: float = 0.6
    pitch_max_cents: int = 700  # whole cents to each side, 7 semitones

    def __post_init__(self):
        """Refuse values that cannot be drawn from, naming the field."""
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if name.endswith(("_probability", "_share", "_volume")) and not 0 <= value <= 1:
                raise ValueError(f"{name}: {value} is not within [0, 1]")
            # 0 stands for "off" in the draws, so these ranges must stay above it.
            if name.endswith(("_min_hz", "_min_ratio", "_min_ms", "_step_ms")) and not value > 0:
                raise ValueError(f"{name}: {value} is not above 0")
            if "_min_" in name and value > getattr(self, name.replace("_min_", "_max_")):
                raise ValueError(f"{name}: {value} is above {name.replace('_min_', '_max_')}")
        if not 0 <= self.pitch_max_cents <= 1200:
            raise ValueError(f"pitch_max_cents: {self.pitch_max_cents} is not within [0, 1200]")
