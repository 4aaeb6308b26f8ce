"""What the expert and the runner ask of a method. B: tracks, N: samples, P: projection."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch.nn.functional as F
from s3prl.pretrain.crops.corruption import Corruption, FrameDraws
from torch import Tensor, nn


class TrainingMethod(nn.Module):
    """A model and the loss it is pretrained with.

    Built from (settings, where): the content of a model yaml, and its name for messages. Only `model` is read
    by the upstream; the state of everything else (heads, queues, slow copies) is for going on with a run.
    """

    name: str  # what is typed after -u
    model: nn.Module  # .sample_rate, .frontend (None: waveforms) and s3prl's forward(wavs, lengths)
    corruption: FrameDraws | None = None  # None: nothing is drawn for the frames
    draws_pictures = False

    def forward(self, wavs: Tensor, corruption: Corruption | None) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a batch and what to log.

        Args:
            wavs: augmented first crops of B tracks, then their second crops, (2 B, N).
            corruption: what `self.corruption` drew for their frames, (2 B, L).

        Returns: the scalar loss, and detached scalars by name, `loss` and `embedding_std` among them.
        """
        raise NotImplementedError

    def settings(self) -> dict:
        """Every setting in force, as the model yaml has them: what a checkpoint stores."""
        raise NotImplementedError

    def parts(self) -> dict[str, list[nn.Parameter]]:
        """Parameter sets whose gradients are measured and clipped apart."""
        return {"encoder": [p for p in self.parameters() if p.requires_grad]}

    def picture(self, views: Tensor) -> np.ndarray:
        """Image for TensorBoard, where it `draws_pictures`: augmented crops (2 B, N) -> (H, W, 3) uint8."""
        raise NotImplementedError

    def fit_data(self, tracks: int, batch_size: int, crop_samples: int) -> None:
        """Called once, before training: tracks of the store and of a whole batch, samples of a crop."""

    def prepare(self, batches: Iterator[Tensor]) -> None:
        """Called before the first step: augmented crops (2 B, N) of each track once, drawn for this alone."""

    def after_step(self, total_steps: int) -> None:
        """Called after the optimiser's step; `total_steps` is the length of the whole run."""


def embedding_std(vectors: Tensor) -> Tensor:
    """Collapse alarm: mean deviation of L2-normalised vectors, (B, P).

    0 is collapsed; vectors of all directions have 1 / sqrt(P) = 0.044; not negative behind a ReLU, 0.02 to
    0.027 is healthy.
    """
    return F.normalize(vectors.detach().float(), dim=1).std(dim=0).mean()
