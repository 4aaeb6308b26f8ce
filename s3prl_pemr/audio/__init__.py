"""Audio files as 16 kHz mono samples; what cannot be trusted is refused by name."""

from .pcm import INT16_FULL_SCALE, to_float32, to_int16
from .reading import FOREIGN_SUFFIXES, SAMPLE_RATE, UnreadableAudio, header_seconds, read_audio

__all__ = [
    "FOREIGN_SUFFIXES",
    "INT16_FULL_SCALE",
    "SAMPLE_RATE",
    "UnreadableAudio",
    "header_seconds",
    "read_audio",
    "to_float32",
    "to_int16",
]
