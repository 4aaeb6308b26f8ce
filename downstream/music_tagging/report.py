"""What an evaluation leaves in the experiment's folder: scores.json, and predictions as TSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from s3prl_pemr.store_index import printable

SCORES_FILE = "scores.json"


def write_scores(folder: Path, split: str, scores: dict[str, Any]) -> None:
    """Sets one split's entry of scores.json; the other splits' stay."""
    path = folder / SCORES_FILE
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    _write(path, json.dumps({**known, split: scores}, indent=2, ensure_ascii=False) + "\n")


def write_predictions(
    folder: Path, split: str, tracks: Sequence[str], names: Sequence[str], scores: np.ndarray
) -> None:
    """predictions-SPLIT.tsv: `track`, then a column per tag with its probability; scores (tracks, tags)."""
    lines = ["\t".join(["track", *map(printable, names)])]
    lines += [
        "\t".join([printable(track), *(f"{score:.6g}" for score in row)])
        for track, row in zip(tracks, scores, strict=True)
    ]
    _write(folder / f"predictions-{split}.tsv", "\n".join(lines) + "\n")


def top_lines(names: Sequence[str], scores: np.ndarray, count: int) -> list[str]:
    """The tags with the highest of the scores, (tags,), best first: lines `0.931  piano`."""
    best = np.argsort(-scores, kind="stable")[:count]
    return [f"{scores[tag]:.3f}  {names[tag]}" for tag in best]


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
