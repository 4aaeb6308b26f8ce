"""`covers identify`: the tracks of an index that are most like a file."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from s3prl.downstream.cover_song.ranking.cosine import unit_rows

from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.report.scores_file import SCORES_FILE

from .index import read_index, refuse_other_model
from .model import CoverModel, add_model_arguments, hear

HELP = "which tracks of an index a file is a cover of"
EXAMPLE = "s3prl-pemr covers identify song.mp3 INDEX --top 5"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("query", metavar="QUERY", type=Path, help="an audio file")
    parser.add_argument("index", metavar="INDEX", type=Path)
    parser.add_argument("--top", type=int, default=10, help="how many (default: 10)")
    parser.add_argument("--model", type=Path, help="where the index's checkpoint is now, if it has moved")
    add_model_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Carry out the command: rank, cosine, track. Returns the exit status; raises ValueError (one line)."""
    index = read_index(args.index)
    if args.top < 1:
        raise ValueError("--top must be at least 1")
    heard = hear(str(args.query))
    if heard.reason:
        raise ValueError(f"{args.query}: {heard.reason}")
    if heard.silent:
        raise ValueError(f"{args.query}: is silent")
    if heard.note:
        print(f"{printable(str(args.query))}: {heard.note}", file=sys.stderr)
    if args.model is None and not Path(index.model).is_file():
        raise ValueError(
            f"{args.index}: its model {index.model} is no longer there; say where it is now with --model"
        )
    model = CoverModel(args.model or Path(index.model), args.device, args.upstream_ckpt)
    refuse_other_model(index, args.index, model.fingerprint)
    silent = index.silent_tracks
    heard_rows = [row for row, track in enumerate(index.tracks) if track not in silent]
    if not heard_rows:
        raise ValueError(f"{args.index}: all of its {len(silent)} tracks are silent")
    query = model.embed(heard, str(args.query))
    tracks = [index.tracks[row] for row in heard_rows]
    found = nearest(query, index.embeddings[heard_rows], tracks, args.top)
    for rank, (track, cosine) in enumerate(found, start=1):
        print(f"{rank:3}  {cosine:.3f}  {printable(track)}")
    print(visible(f"({trust(model.checkpoint, model.expert.best_score.item())})"), file=sys.stderr)
    if silent:
        print(
            f"{len(silent)} silent tracks of {args.index} are left out: {name_some(sorted(silent))}",
            file=sys.stderr,
        )
    return 0


def trust(checkpoint: Path, dev_map: float) -> str:
    """What the model's score on its dev split says of its answers, in one line.

    Args:
        checkpoint: beside its run's scores.json, which knows the MAP of a random order of that split.
        dev_map: the best of its run; negative where it was never scored.
    """
    if dev_map < 0:
        return "the model was never scored on a dev split: what its order is worth is not known"
    line = f"on the works of its dev split the model's MAP was {dev_map:.3f}"
    try:
        scores = json.loads((checkpoint.parent / SCORES_FILE).read_text(encoding="utf-8"))
        chance = scores["dev"]["random_ranking"]["map"]
    except (OSError, ValueError, KeyError, TypeError):
        return line
    line += f", a random order's {chance:.3f}"
    return f"{line}: it hardly knows covers, and this order says little" if dev_map < 1.5 * chance else line


def nearest(
    query: np.ndarray, embeddings: np.ndarray, tracks: list[str], top: int
) -> list[tuple[str, float]]:
    """The tracks with the highest cosines to the query, (E,), best first; of equal ones the first."""
    cosines = unit_rows(embeddings) @ unit_rows(query[None])[0]
    return [(tracks[track], float(cosines[track])) for track in np.argsort(-cosines, kind="stable")[:top]]
