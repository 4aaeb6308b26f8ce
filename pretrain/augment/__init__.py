"""CLMR's waveform augmentations as batched tensor code."""

from .chain import augment
from .config import AugmentConfig
from .draw import Draws, draw

__all__ = ["AugmentConfig", "Draws", "augment", "draw"]
