"""Three pieces of real music: what PEMR finds important in them, and which tags a head gives them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from s3prl.upstream.pemr.model import PEMR

from s3prl_pemr.audio import read_audio

MUSIC = Path(__file__).parent / "music"
TITLES = {
    "ufo_ai_main_theme": "Ufo: AI Main Theme (Manuel 'Vanethian' Marino, CC-BY-3.0)",
    "free_as_in_tuxi": "Free As In Tuxi (Pajama Crisis, public domain)",
    "soft_brilliance": "soft brilliance (public domain)",
}
CROP_SECONDS = 2.7  # what the transformer was trained on; longer music is looked at crop by crop


def pieces() -> list[Path]:
    """The files, in the order of TITLES."""
    return [MUSIC / f"{name}.opus" for name in TITLES]


@torch.no_grad()
def importance_over_time(model: PEMR, wav: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-mel frames (L, F) and their importance (L,), 1 on average, crop by crop.

    Eq. 4 wants two crops of a track: the one before (for the first, the one behind) stands for the other.

    Args:
        wav: float32 in [-1, 1] at 16 kHz, of at least two crops.
    """
    hop = model.config.frontend.hop_samples
    crop = int(CROP_SECONDS * model.sample_rate) // hop * hop
    crops = torch.from_numpy(wav[: len(wav) // crop * crop]).view(-1, crop)
    frames = model.frontend(crops)
    others = frames[[1, *range(len(frames) - 1)]]
    importance = model.importance(others, frames) * frames.shape[1] / model.config.transformer.heads
    return frames.flatten(0, 1).numpy(), importance.flatten().numpy()


def draw(model: PEMR, tags: dict[str, list[tuple[str, float]]]) -> tuple[Figure, str]:
    """A row for each piece, and a caption that says what the picture shows.

    Args:
        model: PEMR with its transformer.
        tags: for each name of TITLES its likeliest tags and their probabilities.
    """
    figure = Figure(figsize=(10, 8), layout="constrained")
    axes = figure.subplots(2 * len(TITLES), 1, height_ratios=[3, 1] * len(TITLES))
    hop_seconds = model.config.frontend.hop_samples / model.sample_rate
    energy_of_masked, masked_share = [], model.config.mask_ratio
    for row, (name, title) in enumerate(TITLES.items()):
        frames, importance = importance_over_time(model, read_audio(MUSIC / f"{name}.opus"))
        seconds = len(frames) * hop_seconds
        least = importance <= np.quantile(importance, masked_share)
        energy = frames.mean(axis=1)
        energy_of_masked.append(float((energy[:, None] < energy[least]).mean()))
        top, below = axes[2 * row], axes[2 * row + 1]
        span = np.percentile(np.abs(frames), 99)
        extent = (0, seconds, 0, frames.shape[1])
        image = {"origin": "lower", "aspect": "auto", "extent": extent, "cmap": "magma"}
        top.imshow(frames.T, vmin=-span, vmax=span, **image)
        said = ", ".join(f"{tag} {probability:.2f}" for tag, probability in tags.get(name, []))
        top.set_title(f"{title}\n{said}", fontsize=9, loc="left")
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
        "piece on average (50% would be chance). Tags: by a linear head on the demo corpus alone, "
        "whose probabilities say little of other music."
    )
    return figure, caption
