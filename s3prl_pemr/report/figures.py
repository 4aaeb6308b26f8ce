"""Pictures of what the model does. L: frames, F: mel bins."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def mask_figure(
    log_mel: np.ndarray, importance: np.ndarray, positive: np.ndarray, seconds_per_frame: float
) -> Figure:
    """Log-mel, frame importance, and the positive and negative view.

    Args:
        log_mel: normalised frames, (L, F).
        importance: s of Eq. 4, (L,).
        positive: positive mask of Eq. 5, (L,).
        seconds_per_frame: hop.
    """
    figure = Figure(figsize=(9, 9), layout="constrained")
    axes = figure.subplots(4, 1, sharex=True, height_ratios=[3, 1, 3, 3])
    # of one hundred values one may saturate: a click at a crop's edge would leave all the others pale
    span = float(np.percentile(np.abs(log_mel), 99)) or 1.0
    extent = (0, len(log_mel) * seconds_per_frame, 0, log_mel.shape[1])
    views = {
        0: ("log-mel, normalised per bin", log_mel),
        2: ("positive view: the least important frames are zero", log_mel * positive[:, None]),
        3: ("negative view: only those are left", log_mel * (1 - positive)[:, None]),
    }
    for row, (title, frames) in views.items():
        axes[row].imshow(
            frames.T, origin="lower", aspect="auto", extent=extent, cmap="RdBu_r", vmin=-span, vmax=span
        )
        axes[row].set_title(title, fontsize=10, loc="left")
        axes[row].set_ylabel("mel bin")
    time = (np.arange(len(importance)) + 0.5) * seconds_per_frame
    axes[1].plot(time, importance, color="black", linewidth=0.8)
    axes[1].fill_between(
        time, 0, importance.max(), where=positive == 0, color="tab:red", alpha=0.3, step="mid", label="masked"
    )
    axes[1].set_title("frame importance (Eq. 4)", fontsize=10, loc="left")
    axes[1].legend(loc="upper right", fontsize=8)
    axes[3].set_xlabel("seconds")
    return figure


def to_pixels(figure: Figure) -> np.ndarray:
    """Render a figure to (height, width, 3) uint8."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def place_figure(masked: np.ndarray, share: float, clips: int, seconds_per_frame: float) -> Figure:
    """How often each place of a crop is masked: a flat line where masks follow the music.

    Args:
        masked: share of the clips in which a frame is masked, (L,).
        share: of the importance's rank variance that the place explains.
        clips: how many.
        seconds_per_frame: hop.
    """
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots()
    time = (np.arange(len(masked)) + 0.5) * seconds_per_frame
    axes.fill_between(time, 0, masked, step="mid", color="tab:red", alpha=0.3)
    axes.axhline(masked.mean(), color="black", linewidth=0.8, linestyle="--", label="mean")
    axes.set_title(
        f"how often a place is masked in {clips} clips; it explains {share:.0%} of the importance's ranks",
        fontsize=10, loc="left",
    )  # fmt: skip
    axes.set(
        xlabel="seconds into the crop",
        ylabel="share of clips",
        xlim=(0, len(masked) * seconds_per_frame),
        ylim=(0, 1),
    )
    axes.legend(loc="upper right", fontsize=8)
    return figure
