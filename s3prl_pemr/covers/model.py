"""Cover models: from what is heard of a file to what an index knows of it. E: width of an embedding."""

from __future__ import annotations

import hashlib
import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from s3prl.downstream.cover_song.cqt.columns import EVAL_COLUMNS
from s3prl.downstream.cover_song.cqt.transform import SETTINGS
from s3prl.downstream.cover_song.model import READY, CoverHead
from s3prl.downstream.cover_song.networks import ready
from s3prl.downstream.cover_song.training_free.chroma import VERSION as CHROMA_VERSION
from s3prl.downstream.cover_song.training_free.chroma import tonal_chroma
from torch.nn import functional as F

from s3prl_pemr.features.identity import file_identity
from s3prl_pemr.features.waveforms import pad_to
from s3prl_pemr.loops.device import choose_device
from s3prl_pemr.loops.downstream_runner import Runner
from s3prl_pemr.report.scores_file import SCORES_FILE
from s3prl_pemr.safety.damage import damage_of

from .track import CHROMA_SCALE, PIECE_COLUMNS, Heard, Known, piece_starts

DEFAULT = "ready"
BATCH_PIECES = 32  # through the network at a time: a concert has a thousand


class CoverModel(Protocol):
    """What the commands need of a model.

    Attributes:
        where: its name, or the path of its checkpoint; an index keeps it.
        fingerprint: what decides its embeddings.
    """

    where: str
    fingerprint: dict[str, Any]

    def know(self, heard: Heard, name: str) -> Known:
        """What an index keeps of a track. Raises ValueError (one line) where its embedding is not finite."""

    def trust(self) -> str:
        """What its answers are worth, in one line."""


def add_model_arguments(parser: ArgumentParser, default: str) -> None:
    """The arguments of a command that embeds; `default` says what is taken without --model."""
    names = " or ".join(READY)
    parser.add_argument(
        "--model", help=f"dev-best.ckpt of a cover_song run, or {names}, which come along; default: {default}"
    )
    parser.add_argument("--device", help="cuda where there is one, else cpu")
    parser.add_argument(
        "--upstream_ckpt", metavar="CKPT", help="where the upstream's checkpoint is now, if it has moved"
    )


def open_model(where: str, device: str | None = None, upstream_ckpt: str | None = None) -> CoverModel:
    """The model of a name in READY or of a checkpoint. Raises ValueError (one line)."""
    if where in READY:
        return ReadyModel(where, device)
    return TrainedModel(Path(where), device, upstream_ckpt)


class ReadyModel:
    """A model that comes along: its tracks are also known piece by piece, for `scan`."""

    def __init__(self, name: str, device: str | None = None):
        self.where, self.device = name, choose_device(device)
        self.network = CoverHead(name, 1, 0).network.to(self.device).eval()
        weights = hashlib.sha256()
        for value in self.network.state_dict().values():
            weights.update(value.cpu().numpy().tobytes())
        self.fingerprint = {
            "ready": f"{name} {weights.hexdigest()}", "cqt": asdict(SETTINGS), "chroma": CHROMA_VERSION,
        }  # fmt: skip

    @torch.no_grad()
    def know(self, heard: Heard, name: str) -> Known:
        """See CoverModel."""
        whole = torch.from_numpy(heard.cqt).to(self.device)
        pieces = [whole[:, start : start + PIECE_COLUMNS] for start in piece_starts(whole.shape[1])]
        batch = torch.stack([F.pad(piece, (0, EVAL_COLUMNS - piece.shape[1])) for piece in pieces])
        embedding = self.network(F.pad(whole, (0, max(EVAL_COLUMNS - whole.shape[1], 0)))[None, None])[0]
        found = torch.cat([self.network(part[:, None]) for part in batch.split(BATCH_PIECES)])
        return Known(_finite(embedding, name, self.where), _chroma(heard), found.half().cpu().numpy())

    def trust(self) -> str:
        """See CoverModel."""
        return ready.card().get("trust", "") if self.where == DEFAULT else "Fourier magnitudes: not trained"


class TrainedModel:
    """Head, upstream and featurizer of a checkpoint, as the toolkit's Runner makes them.

    Args:
        checkpoint: written by `run_downstream.py -d cover_song`.
        device: cuda where there is one, else cpu, if not given.
        upstream_ckpt: takes the place of the path that the checkpoint names.

    Raises: ValueError (one line) for a file that is none.
    """

    def __init__(self, checkpoint: Path, device: str | None = None, upstream_ckpt: str | None = None):
        if not checkpoint.is_file():
            raise ValueError(f"{checkpoint}: no such checkpoint; pass dev-best.ckpt of a cover_song run")
        damage = damage_of(checkpoint)
        if damage:
            raise ValueError(f"checkpoint {checkpoint} {damage}")
        try:
            saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
            args, config = saved["Args"], saved["Config"]
        except Exception as error:  # torch.load raises what the unpickler of the day raises
            raise ValueError(f"{checkpoint}: not a checkpoint of run_downstream.py") from error
        if args.downstream != "cover_song":
            raise ValueError(f"{checkpoint}: of the task {args.downstream}, not of cover_song")
        device = choose_device(device)
        changed = {"mode": "inference", "init_ckpt": str(checkpoint), "device": device, "local_rank": None}
        args.upstream_ckpt = upstream_ckpt or args.upstream_ckpt
        try:
            self.runner = Runner(Namespace(**{**vars(args), **changed}), config)
        except Exception as error:  # each upstream says in its own way what it misses
            if upstream_ckpt is None and _is_lost(args.upstream_ckpt):
                raise ValueError(
                    f"{checkpoint}: its upstream's checkpoint {args.upstream_ckpt} is no longer there; say "
                    "where it is now with --upstream_ckpt"
                ) from error
            raise
        for entry in self.runner.all_entries:
            entry.model.eval()
        self.checkpoint, self.device, self.where = checkpoint, device, str(checkpoint.resolve())
        self.expert = self.runner.downstream.model
        uses_upstream = self.expert.uses_upstream
        self.fingerprint: dict[str, Any] = {
            "checkpoint": file_identity(str(checkpoint)),
            "cqt": asdict(SETTINGS) if self.expert.uses_cqt else None,
            "upstream_checkpoint": self.runner.upstream_identity if uses_upstream else None,
        }

    @torch.no_grad()
    def know(self, heard: Heard, name: str) -> Known:
        """See CoverModel; no pieces: most heads would take long for them."""
        features = []
        if self.expert.uses_upstream:
            wavs = [torch.from_numpy(pad_to(heard.wav, self.expert.shortest_samples)).to(self.device)]
            features = self.runner.featurizer.model(wavs, self.runner.upstream.model(wavs))
        embedding = self.expert.embed(features, [torch.from_numpy(heard.cqt)], [name])[0]
        known = _finite(embedding, name, str(self.checkpoint))
        return Known(known, _chroma(heard), np.zeros((0, len(known)), np.float16))

    def trust(self) -> str:
        """What the model's score on its dev split says; beside it lies what a random order reaches there."""
        dev_map = self.expert.best_score.item()
        if dev_map < 0:
            return "the model was never scored on a dev split: what its order is worth is not known"
        line = f"on the works of its dev split the model's MAP was {dev_map:.3f}"
        try:
            scores = json.loads((self.checkpoint.parent / SCORES_FILE).read_text(encoding="utf-8"))
            chance = scores["dev"]["random_ranking"]["map"]
        except (OSError, ValueError, KeyError, TypeError):
            return line
        line += f", a random order's {chance:.3f}"
        return (
            f"{line}: it hardly knows covers, and this order says little" if dev_map < 1.5 * chance else line
        )


def silenced(known: Known) -> Known:
    """Without an embedding: what a silent track is known as."""
    return replace(known, embedding=np.zeros_like(known.embedding), pieces=known.pieces[:0])


def _chroma(heard: Heard) -> np.ndarray:
    return np.rint(tonal_chroma(heard.cqt) * CHROMA_SCALE).astype(np.uint8)


def _finite(embedding: torch.Tensor, name: str, where: str) -> np.ndarray:
    if not torch.isfinite(embedding).all():
        raise ValueError(f"{name}: its embedding is NaN or infinite; {where} is of no use")
    return embedding.float().cpu().numpy()


def _is_lost(path: str | None) -> bool:
    return path is not None and "://" not in path and not Path(path).exists()
