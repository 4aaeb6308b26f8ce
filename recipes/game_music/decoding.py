"""A track as samples, at the level at which the excerpts were once cut."""

import subprocess
from pathlib import Path

import numpy as np
import soundfile
from excerpts import MODULES
from packages import Unavailable

from s3prl_pemr.audio import SAMPLE_RATE, UnreadableAudio, read_audio


def decode(path: Path) -> np.ndarray:
    """The whole track: float32, (samples,), 16 kHz mono; two channels are summed at equal power.

    Raises:
        Unavailable: it cannot be decoded.
    """
    if path.suffix.lower() in MODULES:
        path = _play(path)
    try:
        wav = read_audio(path)
        channels = soundfile.info(path).channels
    except (UnreadableAudio, soundfile.LibsndfileError) as error:
        raise Unavailable(getattr(error, "reason", str(error))) from error
    return wav * np.float32(np.sqrt(channels))  # the mean times sqrt(2): (left + right) / sqrt(2)


def cut(wav: np.ndarray, begin_seconds: float, end_seconds: float) -> np.ndarray:
    """An excerpt, quieter where it would exceed full scale. Raises Unavailable past the track's end."""
    begin, end = round(begin_seconds * SAMPLE_RATE), round(end_seconds * SAMPLE_RATE)
    if end > len(wav):
        raise Unavailable(f"the track ends after {len(wav) / SAMPLE_RATE:.2f} s, before {end_seconds:.2f} s")
    return wav[begin:end] / max(1.0, np.abs(wav[begin:end]).max())


def _play(module: Path) -> Path:
    done = subprocess.run(
        ["openmpt123", "--quiet", "--render", "--output-type", "wav", "--", module.name],
        cwd=module.parent, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    wav = module.with_name(module.name + ".wav")
    if done.returncode or not wav.exists():
        raise Unavailable(f"openmpt123 cannot play it (exit status {done.returncode})")
    return wav
