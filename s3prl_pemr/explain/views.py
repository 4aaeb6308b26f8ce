"""What is left of a track in PEMR's two views, to be listened to. N: samples, L: frames."""

from __future__ import annotations

import numpy as np

from .importance import Explained

VIEWS = ("the music", "positive view", "negative view")


def heard(wav: np.ndarray, kept: np.ndarray, hop_samples: int) -> np.ndarray:
    """The samples of some frames, the others silent; between them the level goes up or down over one hop.

    Args:
        wav: (N,).
        kept: 1 for frames that are kept, 0 for the others, (L,).
        hop_samples: between frames; frame n is centred on sample n hop.

    Returns: (N,).
    """
    centres = np.arange(len(kept)) * hop_samples
    return (wav * np.interp(np.arange(len(wav)), centres, kept)).astype(np.float32)


def views(wav: np.ndarray, found: Explained) -> dict[str, np.ndarray]:
    """The track and both views by their names in VIEWS."""
    masks = (np.ones_like(found.positive), found.positive, 1 - found.positive)
    return {name: heard(wav, mask, found.hop_samples) for name, mask in zip(VIEWS, masks, strict=True)}
