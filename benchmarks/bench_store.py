"""Random crops per second: from the store, the mp3 and the whole wav.

    python benchmarks/bench_store.py [--clips 120] [--seconds 5]

All sides take turns in one run; the ratios are what counts. Clips are like MagnaTagATune's: 29.1 s, 16 kHz,
mono, mp3 at a constant low bit rate. Files are read with plain soundfile and not with our checks.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import soundfile
from bench_prepare import CLIP_SECONDS, prepare_seconds, write_clips

from s3prl_pemr.audio import INT16_FULL_SCALE, SAMPLE_RATE
from s3prl_pemr.store import AudioStore

CROP_SAMPLES, BATCH, ROUNDS = 43200, 48, 5


def crops_per_second(batch: Callable[[], object], seconds: float) -> float:
    """How many crops a second `batch`, which reads BATCH of them, comes to."""
    start, batches = perf_counter(), 0
    while perf_counter() - start < seconds:
        batch()
        batches += 1
    return batches * BATCH / (perf_counter() - start)


def main() -> None:
    """Print the rates and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clips", type=int, default=120)
    parser.add_argument("--seconds", type=float, default=5, help="for each way of reading")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("mp3", "wav"):
            write_clips(folder / kind, args.clips, kind)
        prepare_seconds(folder / "mp3", folder / "store", jobs=2)
        store = AudioStore(folder / "store")

        def crop_of_file(kind: str) -> np.ndarray:
            wav, _ = soundfile.read(folder / kind / f"{rng.integers(args.clips)}.{kind}", dtype="float32")
            start = rng.integers(len(wav) - CROP_SAMPLES)
            return wav[start : start + CROP_SAMPLES]

        def from_store() -> np.ndarray:
            tracks = rng.integers(len(store), size=BATCH)
            starts = (rng.random(BATCH) * (store.length_samples[tracks] - CROP_SAMPLES)).astype(int)
            return store.gather(tracks, starts, CROP_SAMPLES)

        def as_float32() -> np.ndarray:
            crops = from_store().astype(np.float32)
            crops *= 1 / INT16_FULL_SCALE
            return crops

        ways = {
            "mp3, decoded each time": lambda: [crop_of_file("mp3") for _ in range(BATCH)],
            "wav, read as a whole": lambda: [crop_of_file("wav") for _ in range(BATCH)],
            "store, as float32": as_float32,
            "store, int16": from_store,
        }
        rates = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, batch in ways.items():
                rates[way].append(crops_per_second(batch, args.seconds / ROUNDS))
    mp3, wav, *_ = (np.median(values) for values in rates.values())
    print(f"crops of {CROP_SAMPLES / SAMPLE_RATE:.1f} s, {args.clips} clips of {CLIP_SECONDS} s, one thread")
    for way, values in rates.items():
        rate = np.median(values)
        ratios = f"{rate / mp3:7.1f} x mp3 {rate / wav:6.1f} x wav"
        print(f"  {way:24} {rate:9.0f} crops/s {ratios}")


if __name__ == "__main__":
    main()
