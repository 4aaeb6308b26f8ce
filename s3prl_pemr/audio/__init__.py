"""Audio files as 16 kHz mono samples; what cannot be trusted is refused by name."""

from .pcm import INT16_FULL_SCALE, to_float32, to_int16
from .reading import SAMPLE_RATE, Header, Recording, read_audio, read_header, read_recording
from .unreadable import UnreadableAudio

__all__ = [
    "INT16_FULL_SCALE",
    "SAMPLE_RATE",
    "Header",
    "Recording",
    "UnreadableAudio",
    "read_audio",
    "read_header",
    "read_recording",
    "to_float32",
    "to_int16",
]
