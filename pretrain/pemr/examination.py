"""What a model's masks choose on a fixed set of clips, and what its predictions are worth. B: clips."""

from __future__ import annotations

import numpy as np
import torch
from s3prl.pretrain.crops.corruption import FrameDraws
from s3prl.pretrain.training.method import Examination
from s3prl.upstream.pemr.model import PEMR

from s3prl_pemr.report.figures import place_figure, to_pixels

from . import mask_statistics as statistics
from .objective import prediction_loss

SHIFT_FRAMES = 40  # 0.32 s
CLIPS_AT_ONCE = 16  # bounds memory


@torch.no_grad()
def examine(model: PEMR, crops: torch.Tensor, corruption: FrameDraws, seed: int) -> Examination:
    """Scalars and a picture of the mean mask by place.

    mask_place_share: see mask_statistics.py: place_share. mask_follows_content, mask_follows_place: rank
    correlation of the importances of a crop and of the same music SHIFT_FRAMES later, frame by frame of the
    music, and place by place of the crop. masked_energy_percentile. prediction_of_one, with
    interpolation_of_one and mean_frame_of_one: Eq. 6 of a clip for the model, for a line between the nearest
    frames that are not masked, and for their mean.

    Args:
        model: transformer and masks do not depend on train or eval mode.
        crops: first crops of B tracks, then their second crops, each with SHIFT_FRAMES of music behind it,
            (2 B, N).
        corruption: the settings that frames are corrupted by.
        seed: of what is drawn for that.
    """
    shift_samples = SHIFT_FRAMES * model.config.frontend.hop_samples
    samples = crops.shape[1] - shift_samples
    parts: dict[str, list[torch.Tensor]] = {}
    for a, b in zip(*(half.split(CLIPS_AT_ONCE) for half in crops.chunk(2)), strict=True):
        frames_a, frames_b = model.frontend(a[:, :samples]), model.frontend(b[:, :samples])
        moved = model.frontend(b[:, shift_samples:])
        first = sum(map(len, parts.get("frames", [])))
        keys = ([seed, clip] for clip in range(first, first + len(b)))
        drawn = corruption.draw([np.random.default_rng(key) for key in keys], frames_b.shape[1]).to(
            crops.device
        )
        of_part = {
            "frames": frames_b, "masked": drawn.masked, "predicted": model.predict(drawn.apply(frames_b)),
            "importance": model.importance(frames_a, frames_b), "moved": model.importance(frames_a, moved),
            "negative": model.masks(frames_a, frames_b)[1],
        }  # fmt: skip
        for name, value in of_part.items():
            parts.setdefault(name, []).append(value)
    found = {name: torch.cat(values).cpu() for name, values in parts.items()}
    frames, masked = found["frames"], found["masked"]
    importance, moved = found["importance"], found["moved"]
    scalars = {
        "mask_place_share": statistics.place_share(importance),
        "mask_follows_content": statistics.rank_correlation(
            importance[:, SHIFT_FRAMES:], moved[:, :-SHIFT_FRAMES]
        ),
        "mask_follows_place": statistics.rank_correlation(importance, moved),
        "prediction_of_one": prediction_loss(frames, found["predicted"], masked),
        "interpolation_of_one": prediction_loss(frames, statistics.interpolated(frames, masked), masked),
        "mean_frame_of_one": prediction_loss(frames, statistics.mean_frames(frames, masked), masked),
    }
    if found["negative"].any():
        scalars["masked_energy_percentile"] = statistics.masked_percentile(
            frames.mean(dim=2), found["negative"]
        )
    hop_seconds = model.config.frontend.hop_samples / model.config.frontend.sample_rate
    figure = place_figure(
        found["negative"].mean(dim=0).numpy(), float(scalars["mask_place_share"]), len(frames), hop_seconds
    )
    return Examination({name: float(value) for name, value in scalars.items()}, to_pixels(figure))
