"""Every upstream of s3prl's hub, ours among them, by torch.hub.

    torch.hub.load("PATH OF THIS FOLDER", "pemr", source="local")

A name returns the upstream: list of 1-D waveforms at 16 kHz -> dict of hidden states.
"""

dependencies = ["torch", "torchaudio", "s3prl", "omegaconf", "safetensors"]

import s3prl_pemr  # noqa: E402, F401 - first: it mends the toolkit and fills its hub

# isort: split
from s3prl import hub as _hub  # noqa: E402


def __dir__():
    return [*globals(), *_hub.options()]


def __getattr__(name):
    return getattr(_hub, name)
