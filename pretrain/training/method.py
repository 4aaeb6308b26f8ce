"""What the expert and the runner ask of a method. B: tracks, N: samples, P: projection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from s3prl.pretrain.crops.corruption import Corruption, FrameDraws
from torch import Tensor, nn


@dataclass
class Examination:
    """What a look at a fixed set of clips gave: values to log, and an image, (H, W, 3) uint8."""

    scalars: dict[str, float]
    picture: np.ndarray


class TrainingMethod(nn.Module):
    """A model and the loss it is pretrained with.

    Built from (settings, where): the content of a model yaml, and its name for messages. Only `model` is read
    by the upstream; the state of everything else (heads, queues, slow copies) is for going on with a run.
    """

    name: str  # what is typed after -u
    model: nn.Module  # .sample_rate, .frontend (None: waveforms) and s3prl's forward(wavs, lengths)
    corruption: FrameDraws | None = None  # None: nothing is drawn for the frames
    draws_pictures = False
    monitored: Mapping[str, Tensor] = {}  # by name, vectors (B, P) of the last batch, whose rank is logged

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

    @property
    def examined_extra_samples(self) -> int | None:
        """What `examine` wants behind a crop; None where there is nothing to examine."""
        return None

    def examine(self, crops: Tensor, seed: int) -> Examination:
        """What the method has learnt so far.

        Args:
            crops: of a fixed set of clips, not augmented: first crops of B tracks, then their second crops,
                each with `examined_extra_samples` more, (2 B, N).
            seed: of what is drawn: the same at every call.
        """
        raise NotImplementedError

    def fit_data(self, tracks: int, batch_size: int, crop_samples: int) -> None:
        """Called once, before training: tracks of the store and of a whole batch, samples of a crop."""

    def prepare(self, batches: Iterator[Tensor]) -> None:
        """Called before the first step: augmented crops (2 B, N) of each track once, drawn for this alone."""

    def after_step(self, total_steps: int) -> None:
        """Called after the optimiser's step; `total_steps` is the length of the whole run."""
