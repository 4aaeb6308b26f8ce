"""20 epochs of a frozen probe with and without --feature_cache, end to end, both sides in one run.

    python benchmarks/bench_feature_cache.py [--upstream pemr_random] [--epochs 20]

Start-up is not left out: it is the whole command that a user waits for. The cached side fills its cache in
its first epoch.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parent.parent
CLIPS = {"train": 16, "valid": 4, "test": 4}
SECONDS, BATCH, RATE = 29, 8, 16_000


def make_store(folder: Path) -> Path:
    """Noise and tones: what the clips sound like does not change what they cost."""
    rng = np.random.default_rng(0)
    (folder / "audio").mkdir()
    lines = []
    for split, clips in CLIPS.items():
        for clip in range(clips):
            tone = np.sin(2 * np.pi * (220 if clip % 2 else 880) * np.arange(SECONDS * RATE) / RATE)
            wav = 0.2 * tone + 0.05 * rng.standard_normal(SECONDS * RATE)
            soundfile.write(folder / "audio" / f"{split}{clip}.wav", wav, RATE)
            lines.append(f"{split}{clip}.wav\t{'low' if clip % 2 else 'high'}\t{split}\n")
    (folder / "labels.tsv").write_text("".join(lines))
    command = ["-m", "s3prl_pemr.prepare", "folder", "audio", "store", "--labels", "labels.tsv"]
    subprocess.run([sys.executable, *command], cwd=folder, check=True, capture_output=True)
    return folder / "store"


def seconds_of_a_run(store: Path, expdir: Path, upstream: str, epochs: int, *flags: str) -> float:
    """Train the probe in a process of its own."""
    steps = epochs * CLIPS["train"] // BATCH
    settings = [
        f"config.downstream_expert.datarc.store={store}", f"config.runner.total_steps={steps}",
        f"config.runner.eval_step={steps}", f"config.runner.save_step={steps}",
        f"config.downstream_expert.datarc.train_batch_size={BATCH}",
    ]  # fmt: skip
    command = [
        sys.executable,
        str(ROOT / "run_downstream.py"),
        "-m",
        "train",
        "-u",
        upstream,
        "-d",
        "music_tagging",
    ]
    began = time.monotonic()
    subprocess.run(
        [*command, "-p", str(expdir), "-o", ",,".join(settings), *flags], check=True, capture_output=True
    )
    return time.monotonic() - began


def main() -> None:
    """Both sides, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upstream", default="pemr_random")
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = make_store(folder)
        plain = seconds_of_a_run(store, folder / "plain", args.upstream, args.epochs)
        cache = ("--feature_cache", str(folder / "cache"))
        cached = seconds_of_a_run(store, folder / "cached", args.upstream, args.epochs, *cache)
    print(f"-u {args.upstream}, {args.epochs} epochs of {CLIPS['train']} clips of {SECONDS} s")
    print(f"without {plain:.1f} s, with {cached:.1f} s: {plain / cached:.1f} times faster")


if __name__ == "__main__":
    main()
