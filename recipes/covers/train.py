"""Train the Ki-Net that ships: NT-Xent over pairs of versions of a track (Chen et al. 2020), on one CPU core.

    python recipes/covers/train.py columns.npz works.npz net.pt

A batch has 13 composed works, two renditions of each, and 19 tracks of game music (folders 0 to 9 and a), two
versions of each. 3,000 steps took 41 minutes.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from versions import read_tracks, view

import s3prl_pemr  # noqa: F401 - registers s3prl.downstream.cover_song

# isort: split
from s3prl.downstream.cover_song.networks.kinet import KiNet
from s3prl.downstream.cover_song.networks.ready import CROP_COLUMNS

from s3prl_pemr.report.progress import Progress

FOLDERS = set("0123456789a")
BATCH, OF_WORKS = 32, 13
TEMPERATURE, RATE, WEIGHT_DECAY = 0.1, 5e-4, 1e-2


def main() -> None:
    """Train and save the state_dict."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("columns", type=Path)
    parser.add_argument("works", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=3000)
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    music = [
        track
        for track, folder in zip(*read_tracks(args.columns, "folders"), strict=True)
        if folder in FOLDERS and track.shape[1] >= 60
    ]
    works: dict[int, list[np.ndarray]] = {}
    for track, work in zip(*read_tracks(args.works, "works"), strict=True):
        works.setdefault(work, []).append(track)
    renditions = list(works.values())
    network = KiNet()
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=args.steps, pct_start=0.05)
    with Progress(range(args.steps), "train", unit="step") as bar:
        for _ in bar:
            loss = nt_xent(network, batch(music, renditions, rng))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            bar.set_postfix(loss=f"{loss.item():.3f}")
    torch.save(network.state_dict(), args.out)


def batch(music: list, renditions: list, rng: np.random.Generator) -> torch.Tensor:
    """First versions, then second ones: (2 BATCH, 1, 84, CROP_COLUMNS)."""
    views: tuple[list, list] = ([], [])
    chosen = rng.choice(len(renditions), OF_WORKS, replace=False)
    tracks = rng.choice(len(music), BATCH - OF_WORKS, replace=False)
    for work in chosen:
        for place, version in enumerate(rng.permutation(len(renditions[work]))[:2]):
            views[place].append(view(renditions[work][version], CROP_COLUMNS, rng))
    for track in tracks:
        for place in (0, 1):
            views[place].append(view(music[track], CROP_COLUMNS, rng))
    return torch.from_numpy(np.stack(views[0] + views[1]))[:, None]


def nt_xent(network: KiNet, crops: torch.Tensor) -> torch.Tensor:
    """The loss of a batch, each half's rows the other half's positives."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        embeddings = network(crops.sqrt())
    unit = F.normalize(embeddings.float(), dim=1)
    similarity = unit @ unit.T / TEMPERATURE
    similarity.fill_diagonal_(-1e9)
    return F.cross_entropy(similarity, torch.arange(len(crops)).roll(len(crops) // 2))


if __name__ == "__main__":
    main()
