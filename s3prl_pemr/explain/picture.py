"""A track's waveform, log-mel and importance under each other, what is masked shaded."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from .importance import Explained

LEFT, RIGHT = 0.06, 0.99  # of the axes within the picture's width: the page's cursor moves between them
INCHES_A_MINUTE, LEAST_INCHES, MOST_INCHES = 12, 10, 60


def explained_figure(wav: np.ndarray, found: Explained, name: str) -> Figure:
    """What does PEMR leave out? The frames that are masked in the positive view are red.

    Args:
        wav: what was explained, (samples,).
        name: of the track, for the title.
    """
    width = float(np.clip(found.seconds / 60 * INCHES_A_MINUTE, LEAST_INCHES, MOST_INCHES))
    figure = Figure(figsize=(width, 6))
    figure.subplots_adjust(left=LEFT, right=RIGHT, top=0.9, bottom=0.09, hspace=0.12)
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=[1, 3, 1.4])
    frame_seconds = found.hop_samples / found.sample_rate
    time = (np.arange(len(found.importance)) + 0.5) * frame_seconds
    top.plot(*_envelope(wav, found), color="black", linewidth=0.5)
    top.set(ylabel="wave", yticks=[])
    span = float(np.percentile(np.abs(found.log_mel), 99)) or 1.0
    extent = (0, found.seconds, 0, found.log_mel.shape[1])
    image = {"origin": "lower", "aspect": "auto", "extent": extent, "interpolation": "nearest"}
    middle.imshow(found.log_mel.T, cmap="gray_r", vmin=-span, vmax=span, **image)
    middle.set_ylabel("mel bin")
    bottom.plot(time, found.importance, color="black", linewidth=0.7)
    bottom.axhline(1, color="gray", linewidth=0.6, linestyle="--")
    highest = float(np.percentile(found.importance, 99.8)) * 1.05
    bottom.set(ylabel="importance", xlabel="seconds", ylim=(0, highest), xlim=(0, found.seconds))
    starts, lengths = _runs(found.positive == 0)
    runs = list(zip(starts * frame_seconds, lengths * frame_seconds, strict=True))
    for axes in (middle, bottom):
        low, high = axes.get_ylim()
        axes.broken_barh(runs, (low, high - low), color="tab:red", alpha=0.35, linewidth=0)
        axes.set_ylim(low, high)
    quantile = found.energy_quantile_of_masked()
    share, count = 1 - found.positive.mean(), len(found.positive)
    top.set_title(
        f"What does PEMR leave out of {name}? Red: the {share:.0%} of {count:,} frames that matter least;\n"
        f"their energy lies at the {quantile:.0%} quantile of the track's (50% would be chance)",
        fontsize=10, loc="left",
    )  # fmt: skip
    return figure


def _envelope(wav: np.ndarray, found: Explained) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest sample of each frame, as one line: a minute has a million samples."""
    hop = found.hop_samples
    frames = wav[: len(wav) // hop * hop].reshape(-1, hop)
    ends = np.stack([frames.min(axis=1), frames.max(axis=1)], axis=1).ravel()
    return np.repeat(np.arange(len(frames)), 2) * hop / found.sample_rate, ends


def _runs(marked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First frame and length of each run of marked frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    return edges[::2], edges[1::2] - edges[::2]
