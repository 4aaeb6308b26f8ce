"""Three pieces of real music: what PEMR finds important in them, and which tags a head gives them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from s3prl.upstream.pemr.model import PEMR

from s3prl_pemr.audio import read_audio
from s3prl_pemr.explain.importance import explain

MUSIC = Path(__file__).parent / "music"
TITLES = {
    "ufo_ai_main_theme": "Ufo: AI Main Theme (Manuel 'Vanethian' Marino, CC-BY-3.0)",
    "free_as_in_tuxi": "Free As In Tuxi (Pajama Crisis, public domain)",
    "soft_brilliance": "soft brilliance (public domain)",
}


def pieces() -> list[Path]:
    """The files, in the order of TITLES."""
    return [MUSIC / f"{name}.opus" for name in TITLES]


def draw(model: PEMR, tags: dict[str, list[tuple[str, float]]]) -> tuple[Figure, str]:
    """A row for each piece, and a caption that says what the picture shows.

    Args:
        model: PEMR with its transformer.
        tags: for each name of TITLES its likeliest tags, with probabilities, which are not shown.
    """
    figure = Figure(figsize=(10, 8), layout="constrained")
    axes = figure.subplots(2 * len(TITLES), 1, height_ratios=[3, 1] * len(TITLES))
    hop_seconds = model.config.frontend.hop_samples / model.sample_rate
    energy_of_masked, masked_share = [], model.config.mask_ratio
    for row, (name, title) in enumerate(TITLES.items()):
        found = explain(model, read_audio(MUSIC / f"{name}.opus"))
        frames, importance, least = found.log_mel, found.importance, found.positive == 0
        seconds = len(frames) * hop_seconds
        energy_of_masked.append(found.energy_quantile_of_masked())
        top, below = axes[2 * row], axes[2 * row + 1]
        span = np.percentile(np.abs(frames), 99)
        extent = (0, seconds, 0, frames.shape[1])
        image = {"origin": "lower", "aspect": "auto", "extent": extent, "cmap": "magma"}
        top.imshow(frames.T, vmin=-span, vmax=span, **image)
        said = ", ".join(tag for tag, _ in tags.get(name, []))
        top.set_title(f"{title}\nlikeliest tags: {said}", fontsize=9, loc="left")
        top.set(ylabel="mel bin", xticks=[])
        time = (np.arange(len(importance)) + 0.5) * hop_seconds
        below.fill_between(time, 0, importance, color="tab:blue", alpha=0.6, linewidth=0)
        below.fill_between(
            time, 0, importance.max(), where=least, color="tab:red", alpha=0.35, step="mid", linewidth=0
        )
        below.set(xlim=(0, seconds), ylim=(0, float(importance.max())), ylabel="importance")
        below.tick_params(labelbottom=row == len(TITLES) - 1)
    axes[-1].set_xlabel("seconds")
    percentile = float(np.mean(energy_of_masked))
    caption = (
        f"Blue: a frame's importance (Eq. 4, 1 on average). Red: the {masked_share:.0%} least important: the "
        f"positive view leaves such frames out. Their energy lies at the {percentile:.0%} quantile of their "
        "piece on average (50% would be chance). Tags, the likeliest first: by a linear head on the demo "
        "corpus alone, which is sure of too much in other music."
    )
    return figure, caption
