"""The API of HEAR, holistic evaluation of audio representations, for every upstream of s3prl's hub.

    hear-validator s3prl_pemr.embedding.hear [--model UPSTREAM[:CKPT]]

Source: https://hearbenchmark.com/hear-api.html (Turian et al. 2021). n: sounds, T: times, D: dimensions.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

import s3prl_pemr
from s3prl_pemr.audio import SAMPLE_RATE

from .embedder import Embedder, Wanted

MILLISECONDS = 1000.0


class HearModel(nn.Module):
    """What `load_model` returns: an upstream with the attributes that HEAR asks for."""

    sample_rate = SAMPLE_RATE

    def __init__(self, embedder: Embedder):
        super().__init__()
        self.embedder, self.upstream = embedder, embedder.model
        with torch.no_grad():
            width = embedder.frames(list(torch.zeros(1, SAMPLE_RATE).numpy()))[0].shape[1]
        self.scene_embedding_size = self.timestamp_embedding_size = int(width)


def load_model(model_file_path: str = "") -> HearModel:
    """The shipped pemr; or UPSTREAM, or UPSTREAM:CKPT, or a checkpoint or folder of one of our own models.

    Raises:
        ValueError: one line: no such upstream or checkpoint.
    """
    name, _, checkpoint = model_file_path.partition(":")
    if model_file_path and not checkpoint and Path(model_file_path).exists():
        name, checkpoint = str(s3prl_pemr.load(model_file_path).method), model_file_path
    return HearModel(Embedder(Wanted(name or "pemr", checkpoint or None)))


def get_timestamp_embeddings(audio: Tensor, model: HearModel) -> tuple[Tensor, Tensor]:
    """Embeddings (n, T, D), and middles of frames in milliseconds (n, T), of sounds of one length (n, N)."""
    device = audio.device
    model.embedder.device = str(device)  # HEAR moves the model by itself, and its audio there
    frames = torch.stack(model.embedder.frames(list(audio.detach().cpu().float().numpy())))
    step = MILLISECONDS * model.embedder.rate_samples / SAMPLE_RATE
    middles = (torch.arange(frames.shape[1], dtype=torch.float32) + 0.5) * step
    return frames.to(device), middles.expand(len(frames), -1).to(device)


def get_scene_embeddings(audio: Tensor, model: HearModel) -> Tensor:
    """One embedding a sound, the mean over its frames: (n, N) -> (n, D)."""
    return get_timestamp_embeddings(audio, model)[0].mean(dim=1)
