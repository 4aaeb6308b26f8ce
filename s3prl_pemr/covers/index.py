"""The index of a collection: one .npz file with an embedding per track and what made it. E: width."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s3prl_pemr.safety.whole_file import whole_file

FORMAT = 1


@dataclass
class CoverIndex:
    """What a file holds.

    Attributes:
        tracks: paths relative to the folder that was embedded, with `/`.
        embeddings: float32, (tracks, E); zeros where the track is silent (0.1.0 gave it the model's).
        stamps: size in bytes and time of change in ns of each file, int64, (tracks, 2).
        made_by: the model's fingerprint (model.py).
        model: path of the checkpoint, where `identify` looks for it.
    """

    tracks: list[str]
    embeddings: np.ndarray
    stamps: np.ndarray
    made_by: dict[str, Any]
    model: str

    @property
    def silent_tracks(self) -> set[str]:
        """Tracks without an embedding: they stand in the index so that they are not read again."""
        return {self.tracks[row] for row in np.flatnonzero(~self.embeddings.any(axis=1))}

    def write(self, path: Path) -> None:
        """Whole or not at all."""
        about = {"format": FORMAT, "made_by": self.made_by, "model": self.model}
        with whole_file(path) as file:
            np.savez(
                file,
                about=np.array(json.dumps(about)),
                # One text, because a numpy string loses what is behind its last zero byte.
                tracks=np.frombuffer("\n".join(map(json.dumps, self.tracks)).encode(), np.uint8),
                embeddings=self.embeddings,
                stamps=self.stamps,
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
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not an index of covers, or damaged; choose another name") from error
    if about.get("format") != FORMAT:
        raise ValueError(f"{path}: written by another version of s3prl-pemr; embed anew")
    tracks = [json.loads(line) for line in lines if line]
    return CoverIndex(tracks, embeddings, stamps, about["made_by"], about["model"])


def refuse_other_model(index: CoverIndex, path: Path, fingerprint: dict[str, Any]) -> None:
    """Raises ValueError (one line) where an index was not made by the model: their cosines mean nothing."""
    for what, own in fingerprint.items():
        if index.made_by.get(what) != own:
            raise ValueError(
                f"{path}: made by another model ({what} differs; it was {index.model}): pass that one with "
                "--model, or embed anew into another file"
            )
