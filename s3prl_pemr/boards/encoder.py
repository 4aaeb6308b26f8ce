"""Our models as models of mteb. n: items, D: width of a vector.

    import mteb
    from s3prl_pemr.boards.encoder import CoverEncoder, UpstreamEncoder

    mteb.evaluate(UpstreamEncoder("pemr"), mteb.get_tasks(tasks=["GTZANGenre"]))
    mteb.evaluate(CoverEncoder("ready"), mteb.get_tasks(tasks=["Covers80A2ARetrieval"]))

Source: mteb 2.26.24, mteb/models/models_protocols.py: EncoderProtocol.
"""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mteb.models import ModelMeta
from mteb.models.abs_encoder import AbsEncoder

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.covers.model import DEFAULT, TrainedModel, open_model, silenced
from s3prl_pemr.covers.track import heard
from s3prl_pemr.embedding.embedder import Embedder, Wanted, batches
from s3prl_pemr.report.parameters import parameters_of
from s3prl_pemr.report.progress import Progress

from .audio_files import read_without_torchcodec
from .sound import samples_of
from .tasks import refuse_other_than_sound

read_without_torchcodec()
HEARD_TOGETHER = 8
HEARD_SECONDS = 240  # of those, with their padding


class BoardEncoder(AbsEncoder):
    """A model of sound; vectors are compared by their cosine.

    Attributes:
        mteb_model_meta: says which model it is; its `revision` is of the weights and of what is made of them.
        parameters: that a vector passes through.
    """

    mteb_model_meta: ModelMeta
    parameters: int

    @abstractmethod
    def vectors(self, wavs: Sequence[np.ndarray]) -> np.ndarray:
        """Of sounds of 16 kHz, float32, (N,) each: (n, D)."""

    def encode(
        self, inputs: Iterable[dict], *, task_metadata, hf_split: str, hf_subset: str, prompt_type=None,
        **settings: Any,
    ) -> np.ndarray:  # fmt: skip
        """A vector an item, (n, D). Raises ValueError (one line) for a task of anything but sound."""
        refuse_other_than_sound(task_metadata)
        silent = not settings.get("show_progress_bar", True)
        bar = Progress(inputs, f"{task_metadata.name}, {hf_split}", unit="batch", disable=silent)
        return np.concatenate([self.vectors([samples_of(item) for item in batch["audio"]]) for batch in bar])

    def _describe(self, name: str, identity: dict[str, Any], width: int, **options: Any) -> None:
        revision = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
        self.mteb_model_meta = ModelMeta(
            name=f"s3prl-pemr/{name}", revision=revision, embed_dim=width, n_parameters=self.parameters,
            modalities=["audio"], similarity_fn_name="cosine", framework=["PyTorch"], use_instructions=False,
            experiment_kwargs={key: value for key, value in options.items() if value is not None} or None,
            loader=None, release_date=None, languages=None, memory_usage_mb=None, max_tokens=None,
            license=None, open_weights=None, public_training_code=None, public_training_data=None,
            training_datasets=None,
        )  # fmt: skip


class UpstreamEncoder(BoardEncoder):
    """Any upstream of s3prl's hub.

    Args:
        upstream, checkpoint: -u, -k.
        layer: of its hidden states, from 0; None: the last.
        pool: over time, mean or mean_std.
        piece_seconds: sounds are heard in pieces of so long; None: what the upstream can.
        device: cuda where there is one, else cpu.

    Raises:
        ValueError: one line: no such upstream, checkpoint or pool.
    """

    def __init__(
        self, upstream: str = "pemr", checkpoint: str | None = None, layer: int | None = None,
        pool: str = "mean", piece_seconds: float | None = None, device: str | None = None,
    ):  # fmt: skip
        if pool == "none":
            raise ValueError("a board wants one vector an item: pool by mean or mean_std")
        wanted = Wanted(upstream, checkpoint, layer, pool, piece_seconds=piece_seconds)
        self.embedder = Embedder(wanted, device)
        self.parameters = parameters_of(self.embedder.model)
        width = self.vectors([np.zeros(SAMPLE_RATE, np.float32)]).shape[1]
        shown = None if pool == "mean" else pool
        self._describe(upstream, self.embedder.identity, width, layer=layer, pool=shown)

    def vectors(self, wavs: Sequence[np.ndarray]) -> np.ndarray:
        """See BoardEncoder."""
        found: list[np.ndarray | None] = [None] * len(wavs)
        for places in batches([len(wav) for wav in wavs], HEARD_TOGETHER, HEARD_SECONDS * SAMPLE_RATE):
            embedded = self.embedder.embed([wavs[place] for place in places])
            for place, one in zip(places, embedded, strict=True):
                found[place] = one.clip
        return np.stack(found)


class CoverEncoder(BoardEncoder):
    """A model of covers; nothing is aligned, as a board compares vectors.

    Args:
        where: ready, ftm2d, or dev-best.ckpt of a `-d cover_song` run.
        device: cuda where there is one, else cpu.
        upstream_ckpt: takes the place of the path that the checkpoint names.

    Raises:
        ValueError: one line: no such model.
    """

    def __init__(self, where: str = DEFAULT, device: str | None = None, upstream_ckpt: str | None = None):
        self.model = open_model(where, device, upstream_ckpt)
        if isinstance(self.model, TrainedModel):
            expert = self.model.expert
            self.parameters = expert.head.parameters_without_classifier
            if expert.uses_upstream:
                self.parameters += parameters_of(self.model.runner.upstream.model)
        else:
            self.parameters = sum(parameter.numel() for parameter in self.model.network.parameters())
        width = self.vectors([np.zeros(SAMPLE_RATE, np.float32)]).shape[1]
        self._describe(f"covers-{Path(where).stem}", self.model.fingerprint, width)

    def vectors(self, wavs: Sequence[np.ndarray]) -> np.ndarray:
        """See BoardEncoder; zeros of a silent one."""
        found = []
        for sound in map(heard, wavs):
            known = self.model.know(sound, "an item of the task")
            found.append((silenced(known) if sound.silent else known).embedding)
        return np.stack(found)
