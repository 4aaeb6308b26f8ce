"""Pictures and sounds inside a page: data URLs, so that a page is one file that loads nothing else."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
import soundfile

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def data_url(kind: str, content: bytes) -> str:
    """The URL that holds the content of a file of that MIME type."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def picture_url(figure: Figure, dpi: int = 80) -> str:
    """A figure as PNG."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi)
    return data_url("image/png", file.getvalue())


def sound_url(wav: np.ndarray, sample_rate: int) -> str:
    """Samples (N,) as mp3, which every browser plays."""
    file = io.BytesIO()
    soundfile.write(file, wav, sample_rate, format="MP3", subtype="MPEG_LAYER_III")
    return data_url("audio/mpeg", file.getvalue())
