"""Score what ships on tracks that it has not heard: MAP alone and with alignment, beside Fourier magnitudes.

python recipes/covers/score.py columns.npz unseen.npz
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from versions import read_tracks, scored_versions

import s3prl_pemr  # noqa: F401 - registers s3prl.downstream.cover_song

# isort: split
from s3prl.downstream.cover_song.metric import score_queries, summary
from s3prl.downstream.cover_song.model import READY
from s3prl.downstream.cover_song.ranking.cosine import unit_rows
from s3prl.downstream.cover_song.ranking.expectation import intervals
from s3prl.downstream.cover_song.training_free.alignment import align
from s3prl.downstream.cover_song.training_free.chroma import tonal_chroma

from s3prl_pemr.covers.ranking import ALIGNMENT_WEIGHT, CANDIDATES
from s3prl_pemr.report.progress import Progress

HELD_OUT = {"c": "chosen by", "d": "held out"}


def main() -> None:
    """Print a line for each set, model and way of ranking."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("columns", type=Path)
    parser.add_argument("unseen", type=Path, help="works.py: other works than were trained on")
    parser.add_argument("--folders", nargs="*", default=list(HELD_OUT), help="c, d; default: both")
    args = parser.parse_args()
    tracks, folders = read_tracks(args.columns, "folders")
    for folder in args.folders:
        what = HELD_OUT[folder]
        chosen = [t for t, own in zip(tracks, folders, strict=True) if own == folder and t.shape[1] >= 60]
        versions = [scored_versions(track, np.random.default_rng([0, n])) for n, track in enumerate(chosen)]
        works = np.repeat(np.arange(len(versions)), [len(own) for own in versions])
        score(f"game music, folder {folder} ({what})", [v for own in versions for v in own], works)
    renditions, works = read_tracks(args.unseen, "works")
    score("composed works, unseen", [np.asarray(track, np.float32) for track in renditions], works)


def score(name: str, tracks: Sequence[np.ndarray], works: Sequence[int]) -> None:
    """All pairs of a set."""
    chroma = [tonal_chroma(track) for track in tracks]
    kept: dict[tuple[int, int], float] = {}
    for model, network in READY.items():
        net = network().eval()
        with torch.no_grad():
            found = [net(torch.from_numpy(np.ascontiguousarray(track))[None, None])[0] for track in tracks]
        unit = unit_rows(torch.stack(found).numpy())
        cosines = unit @ unit.T
        ranked = cosines.copy()
        for query in Progress(range(len(tracks)), f"{model}, aligned", unit="query"):
            others = np.delete(np.argsort(-cosines[query], kind="stable"), 0)[:CANDIDATES]
            for other in others:
                pair = min(query, other), max(query, other)
                if pair not in kept:
                    kept[pair] = align(chroma[pair[0]], chroma[pair[1]]).score
                ranked[query, other] += 10 + ALIGNMENT_WEIGHT * kept[pair]
        for way, similarity in (("embeddings alone", cosines), ("then aligned", ranked)):
            scores = score_queries(similarity, works)
            low, high = intervals(scores)["map"]
            first = np.mean(scores.first_rank == 1)
            line = f"MAP {summary(scores)['map']:.3f} [{low:.3f}, {high:.3f}], a version first {first:.3f}"
            print(f"{name}: {model}, {way}: {line}", flush=True)


if __name__ == "__main__":
    main()
