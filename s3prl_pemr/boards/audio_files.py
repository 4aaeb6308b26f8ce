"""Files of a task's data are read by our own decoders where torchcodec cannot be."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from s3prl_pemr.audio import SAMPLE_RATE, UnreadableAudio, read_audio


def read_without_torchcodec() -> None:
    """Mends datasets/features/audio.py: Audio.decode_example, which wants torchcodec.

    That wants FFmpeg's libraries, and as PyPI has it CUDA's. Nothing is done where it can be imported.
    """
    from datasets import Audio

    try:
        import torchcodec.decoders  # noqa: F401
    except (ImportError, OSError, RuntimeError):  # not there, or without the libraries that it wants
        Audio.decode_example = _decoded


def _decoded(self: Any, value: Any, token_per_repo_id: dict | None = None) -> Any:
    """The mean of a file's channels, as a dictionary: at the column's rate if that has one, or 16 kHz."""
    if not isinstance(value, dict):
        return value
    rate = self.sampling_rate or SAMPLE_RATE
    try:
        if value["bytes"] is None:
            wav = read_audio(value["path"], rate)
        else:
            with NamedTemporaryFile(suffix=Path(value["path"] or "").suffix) as file:
                file.write(value["bytes"])
                file.flush()
                wav = read_audio(file.name, rate)
    except UnreadableAudio as error:
        raise ValueError(f"{value['path'] or 'an audio file of the task'}: {error.reason}") from error
    return {"array": wav, "sampling_rate": rate}
