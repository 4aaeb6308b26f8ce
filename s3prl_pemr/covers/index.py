"""The index of a collection: one .npz file with what is known of each track, and what made it.

E: width of an embedding. Format 2 has chroma and pieces beside the embeddings of format 1, still read.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s3prl_pemr.safety.whole_file import whole_file

from .track import Known

FORMATS = (1, 2)


@dataclass
class CoverIndex:
    """What a file holds.

    Attributes:
        tracks: paths relative to the folder that was embedded, with `/`.
        known: of each track, in their order.
        stamps: size in bytes and time of change in ns of each file, int64, (tracks, 2).
        made_by: the model's fingerprint (model.py).
        model: name of a ready model, or path of a checkpoint, where `identify` looks for it.
    """

    tracks: list[str]
    known: list[Known]
    stamps: np.ndarray
    made_by: dict[str, Any]
    model: str

    @property
    def embeddings(self) -> np.ndarray:
        """(tracks, E); zeros where the track is silent (0.1.0 gave it the model's)."""
        return np.stack([known.embedding for known in self.known])

    @property
    def silent_tracks(self) -> set[str]:
        """Tracks without an embedding: they stand in the index so that they are not read again."""
        return {track for track, known in zip(self.tracks, self.known, strict=True) if known.silent}

    def write(self, path: Path) -> None:
        """Whole or not at all."""
        about = {"format": FORMATS[-1], "made_by": self.made_by, "model": self.model}
        with whole_file(path) as file:
            np.savez(
                file,
                about=np.array(json.dumps(about)),
                # One text, because a numpy string loses what is behind its last zero byte.
                tracks=np.frombuffer("\n".join(map(json.dumps, self.tracks)).encode(), np.uint8),
                embeddings=self.embeddings,
                stamps=self.stamps,
                columns=np.array([known.chroma.shape[1] for known in self.known], np.int64),
                chroma=np.concatenate([known.chroma for known in self.known], axis=1),
                pieces=np.concatenate([known.pieces for known in self.known]),
                piece_counts=np.array([len(known.pieces) for known in self.known], np.int64),
            )


def read_index(path: Path) -> CoverIndex:
    """Raises ValueError (one line) where there is none, or none of ours."""
    if not path.is_file():
        raise ValueError(f"{path}: no such index; make one with `s3prl-pemr covers embed`")
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            lines = file["tracks"].tobytes().decode().split("\n")
            embeddings, stamps = file["embeddings"], file["stamps"]
            chroma = _parts(file, "chroma", "columns", len(embeddings), axis=1)
            pieces = _parts(file, "pieces", "piece_counts", len(embeddings), axis=0)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not an index of covers, or damaged; choose another name") from error
    if about.get("format") not in FORMATS:
        raise ValueError(f"{path}: written by another version of s3prl-pemr; embed anew")
    tracks = [json.loads(line) for line in lines if line]
    known = [Known(*parts) for parts in zip(embeddings, chroma, pieces, strict=True)]
    return CoverIndex(tracks, known, stamps, about["made_by"], about["model"])


def _parts(file: Any, name: str, counts: str, tracks: int, axis: int) -> list[np.ndarray | None]:
    """One array per track; None of each where the file has none, as in format 1."""
    if name not in file:
        return [None] * tracks
    return np.split(file[name], np.cumsum(file[counts])[:-1], axis=axis)


def refuse_other_model(index: CoverIndex, path: Path, fingerprint: dict[str, Any]) -> None:
    """Raises ValueError (one line) where an index was not made by the model: their cosines mean nothing."""
    for what, own in fingerprint.items():
        if index.made_by.get(what) != own:
            raise ValueError(
                f"{path}: made by another model ({what} differs; it was {index.model}): pass that one with "
                "--model, or embed anew into another file"
            )
