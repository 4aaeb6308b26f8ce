"""A trained cover_song checkpoint as a function from a file to its embedding. E: width."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from s3prl.downstream.cover_song.cqt.transform import SETTINGS, by_peak, cqt_columns

from s3prl_pemr.audio import UnreadableAudio, read_recording, to_float32, to_int16
from s3prl_pemr.features.identity import file_identity
from s3prl_pemr.features.waveforms import pad_to
from s3prl_pemr.loops.device import choose_device
from s3prl_pemr.loops.downstream_runner import Runner
from s3prl_pemr.safety.damage import damage_of


@dataclass(frozen=True)
class Heard:
    """What a model needs of a file, or the `reason` why there is nothing.

    Attributes:
        wav: float32, (samples,).
        cqt: float32, (84, columns).
        note: where little is heard because the channels cancel each other.
    """

    wav: np.ndarray | None = None
    cqt: np.ndarray | None = None
    reason: str = ""
    note: str = ""

    @property
    def silent(self) -> bool:
        """Whether there is nothing to hear."""
        return self.wav is not None and not self.wav.any()


def hear(path: str) -> Heard:
    """Read a file as prepare and the CQT cache would keep it: int16, float16."""
    try:
        recording = read_recording(path)
    except UnreadableAudio as error:
        return Heard(reason=error.reason)
    wav = to_float32(to_int16(recording.wav)[0])
    cqt = by_peak(cqt_columns(wav)).astype(np.float16).astype(np.float32)
    return Heard(wav, cqt, note=recording.cancelled)


def add_model_arguments(parser: ArgumentParser) -> None:
    """The arguments of a command that embeds, beside --model."""
    parser.add_argument("--device", help="cuda where there is one, else cpu")
    parser.add_argument(
        "--upstream_ckpt", metavar="CKPT", help="where the upstream's checkpoint is now, if it has moved"
    )


class CoverModel:
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
        self.checkpoint, self.device = checkpoint, device
        self.expert = self.runner.downstream.model
        uses_upstream = self.expert.uses_upstream
        self.fingerprint: dict[str, Any] = {
            "checkpoint": file_identity(str(checkpoint)),
            "cqt": asdict(SETTINGS) if self.expert.uses_cqt else None,
            "upstream_checkpoint": self.runner.upstream_identity if uses_upstream else None,
        }

    @torch.no_grad()
    def embed(self, heard: Heard, name: str) -> np.ndarray:
        """The embedding of a track: float32, (E,). Raises ValueError (one line) where it is not finite."""
        features = []
        if self.expert.uses_upstream:
            wavs = [torch.from_numpy(pad_to(heard.wav, self.expert.shortest_samples)).to(self.device)]
            features = self.runner.featurizer.model(wavs, self.runner.upstream.model(wavs))
        embedding = self.expert.embed(features, [torch.from_numpy(heard.cqt)], [name])[0]
        if not torch.isfinite(embedding).all():
            raise ValueError(f"{name}: its embedding is NaN or infinite; {self.checkpoint} is of no use")
        return embedding.float().cpu().numpy()


def _is_lost(path: str | None) -> bool:
    return path is not None and "://" not in path and not Path(path).exists()
