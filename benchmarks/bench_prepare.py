"""Prepare on two workers against one, on mp3 files like MagnaTagATune's.

    python benchmarks/bench_prepare.py [--clips 160] [--rounds 3]

Both sides take turns in one run; the ratio is what counts. Clips are 29.1 s, 16 kHz, mono, mp3 at a constant
low bit rate.
"""

import argparse
import contextlib
import io
import os
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import soundfile

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.prepare.build import BuildOptions, build_store
from s3prl_pemr.prepare.datasets.folder import list_folder

CLIP_SECONDS, DIFFERENT_CLIPS = 29.1, 10


def tones(rng: np.random.Generator) -> np.ndarray:
    """A clip of eight tones and some noise: float64, (samples,)."""
    time = np.arange(round(CLIP_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    wav = sum(np.sin(2 * np.pi * hertz * time) for hertz in rng.uniform(100, 4000, 8)) / 20
    return wav + rng.standard_normal(len(time)) / 50


def write_clips(folder: Path, clips: int, suffix: str) -> None:
    """A few different clips, copied: only the reading is timed. The same for each suffix."""
    rng = np.random.default_rng(0)
    settings = {"bitrate_mode": "CONSTANT", "compression_level": 0.9} if suffix == "mp3" else {}
    folder.mkdir()
    for clip in range(clips):
        path = folder / f"{clip}.{suffix}"
        if clip < DIFFERENT_CLIPS:
            soundfile.write(path, tones(rng), SAMPLE_RATE, **settings)
        else:
            path.write_bytes((folder / f"{clip % DIFFERENT_CLIPS}.{suffix}").read_bytes())


def prepare_seconds(source: Path, destination: Path, jobs: int) -> float:
    """Wall time of one prepare."""
    start = perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        build_store(list_folder(source), destination, BuildOptions(jobs))
    return perf_counter() - start


def main() -> None:
    """Print the rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clips", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    times = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clips(folder / "mp3", args.clips, "mp3")
        for turn in range(args.rounds):
            for jobs, seconds in times.items():
                seconds.append(prepare_seconds(folder / "mp3", folder / f"store{jobs}{turn}", jobs))
    print(
        f"prepare, {args.clips} mp3 clips of {CLIP_SECONDS} s, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f} (about 2 if nothing else runs)"
    )
    for jobs, seconds in times.items():
        rate, ratio = args.clips / np.median(seconds), np.median(np.divide(times[1], seconds))
        print(f"  {jobs} worker{'s' if jobs > 1 else ' '} {rate:9.0f} clips/s {ratio:7.2f} x one worker")


if __name__ == "__main__":
    main()
