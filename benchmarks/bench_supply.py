"""Supply: opening a store and drawing batches of crop pairs from it, by its number of tracks.

    python benchmarks/bench_supply.py [--tracks 1000 30000 1000000] [--batch 48] [--json FILE] [--plot FILE]

The stores are sparse files of silence: what a track sounds like does not change what it costs. Each size is
measured in a process of its own, whose peak of memory counts.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

import s3prl_pemr  # noqa: F401 - first: it registers s3prl.pretrain.pemr

# isort: split
from s3prl.pretrain.augment import AugmentConfig
from s3prl.pretrain.crops.dataset import CropPairs, DataConfig, EpochBatches, as_read
from s3prl.pretrain.pemr.corruption import CorruptionConfig
from sides import arguments, machine
from torch.utils.data import DataLoader

from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.index import AUDIO_FILE, COLUMNS, FORMAT_VERSION, INDEX_FILE, STATE_FILE

TRACK_SAMPLES, BATCHES, HOP_SAMPLES = 48_000, 40, 128


def sparse_store(folder: Path, tracks: int) -> None:
    """A store of silent tracks that takes no room."""
    with (folder / INDEX_FILE).open("w", encoding="utf-8") as file:
        file.write("\t".join(COLUMNS) + "\n")
        for track in range(tracks):
            name = f"artist {track % 997}/album {track % 31}/{track}.mp3"
            file.write(
                f"{name}\t{track * TRACK_SAMPLES}\t{TRACK_SAMPLES}\ttrain\trock|loud\t\t00000000\t9\t9\n"
            )
    with (folder / AUDIO_FILE).open("wb") as file:
        file.truncate(2 * tracks * TRACK_SAMPLES)
    state = {"format": FORMAT_VERSION, "sample_rate": 16_000, "complete": True}
    (folder / STATE_FILE).write_text(json.dumps(state))


def measure(folder: Path, batch: int) -> dict[str, float]:
    """Seconds to open the store, tracks a second by workers, and the peak of memory with none."""
    begun = perf_counter()
    store = AudioStore(folder)
    opened = perf_counter() - begun
    config = DataConfig(store=str(folder), train_batch_size=batch)
    data = CropPairs(store, config, AugmentConfig(), CorruptionConfig(), 16_000, HOP_SAMPLES)
    rates = {}
    for workers in (0, 1, 2):
        batches = EpochBatches(data.tracks, batch, seed=0)
        loader = DataLoader(data, batch_sampler=batches, collate_fn=as_read, num_workers=workers)
        seconds = []
        for epoch in loader:
            seconds.append(perf_counter())
            if len(seconds) > BATCHES:
                break
            del epoch
        gaps = np.diff(seconds)[BATCHES // 4 :]
        rates[f"tracks_per_second_{workers}_workers"] = batch / float(np.mean(gaps))
        if workers == 0:
            rates["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"open_seconds": opened, **rates}


def main() -> None:
    """Print a line for each size."""
    parser = arguments(__doc__, rounds=1)
    parser.add_argument("--tracks", type=int, nargs="+", default=[3_000, 30_000, 300_000, 1_000_000])
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--plot", type=Path, help="draw the figures here, as PNG")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        print(json.dumps(measure(args.inside, args.batch)))
        return
    found = {}
    for tracks in args.tracks:
        with tempfile.TemporaryDirectory() as name:
            sparse_store(Path(name), tracks)
            command = [sys.executable, __file__, "--inside", name, "--batch", str(args.batch)]
            line = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found[tracks] = json.loads(line.splitlines()[-1])
        print(
            f"{tracks:9,} tracks", *(f"{key} {value:.2f}" for key, value in found[tracks].items()), sep="  "
        )
    if args.json:
        args.json.write_text(json.dumps({"machine": machine(), "tracks": found}, indent=1) + "\n")
    if args.plot:
        draw(found, args.plot)


def draw(found: dict[int, dict[str, float]], path: Path) -> None:
    """Opening, supply and memory against the number of tracks."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    titles = {
        "open_seconds": "seconds to open", "tracks_per_second_2_workers": "tracks a second, 2 workers",
        "peak_gb": "peak memory, GB",
    }  # fmt: skip
    for axis, (key, title) in zip(axes, titles.items(), strict=True):
        axis.plot(list(found), [row[key] for row in found.values()], marker="o")
        axis.set(xscale="log", xlabel="tracks in the store", title=title, ylim=(0, None))
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
