"""A clip's log-mel with its frame importances and both masked views, as an image for TensorBoard."""

from __future__ import annotations

import numpy as np
import torch
from s3prl.upstream.pemr.model import PEMR
from torch import Tensor

from s3prl_pemr.report.figures import mask_figure, to_pixels


@torch.no_grad()
def mask_picture(model: PEMR, views: Tensor) -> np.ndarray:
    """First track of (2 B, N) waveforms, second crop -> (height, width, 3) uint8."""
    frames_a, frames_b = (model.frontend(view[:1]) for view in views.chunk(2))
    importance = model.importance(frames_a, frames_b)[0].cpu().numpy()
    positive, _ = model.masks(frames_a, frames_b)
    frontend = model.config.frontend
    seconds_per_frame = frontend.hop_samples / frontend.sample_rate
    return to_pixels(
        mask_figure(frames_b[0].cpu().numpy(), importance, positive[0].cpu().numpy(), seconds_per_frame)
    )
