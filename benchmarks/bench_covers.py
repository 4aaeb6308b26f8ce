"""Cover songs with what comes along, on altered versions of any music: MAP, and how often one comes first.

    python benchmarks/bench_covers.py MUSIC [--folders 0 1 2] [--tracks 100] [--jobs 2]

MUSIC is a store of `s3prl-pemr prepare`, or a folder of audio. Of each track one excerpt of 29 s, in five
versions: as it is, in another key, at another speed, narrow with noise (250 to 3,400 Hz), and all of that.
The "sketch" is what the training-free method began with: plain chroma, one speed, patches of 7.4 s.
Excerpts of one track are told by their names, as MagnaTagATune has them: NAME-BEGIN-END.ext.
"""

import argparse
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter

import librosa
import numpy as np
import torch
from scipy.signal import butter, sosfilt

from s3prl_pemr.audio import SAMPLE_RATE, read_audio, to_float32

# isort: split
from s3prl.downstream.cover_song.cqt.transform import by_peak, cqt_columns
from s3prl.downstream.cover_song.metric import score_queries, summary
from s3prl.downstream.cover_song.model import READY
from s3prl.downstream.cover_song.ranking.cosine import unit_rows
from s3prl.downstream.cover_song.training_free.alignment import align
from s3prl.downstream.cover_song.training_free.chroma import tonal_chroma

from s3prl_pemr.covers.ranking import ALIGNMENT_WEIGHT, CANDIDATES
from s3prl_pemr.prepare.datasets.folder import list_folder
from s3prl_pemr.store import AudioStore

EXCERPT_SAMPLES = 29 * SAMPLE_RATE
VERSIONS = 5


def versions(wav: np.ndarray, seed: int) -> list[np.ndarray]:
    """The five versions of an excerpt."""
    rng = np.random.default_rng(seed)
    semitones = [int(rng.choice([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6])) for _ in range(2)]
    speeds = [float(np.exp(rng.uniform(np.log(1.1), np.log(1.3))) ** rng.choice([-1, 1])) for _ in range(2)]
    noise_db = [float(rng.uniform(5, 15)) for _ in range(2)]  # below the music

    def narrow(wav: np.ndarray, below_db: float) -> np.ndarray:
        music = sosfilt(butter(4, [250, 3_400], "band", fs=SAMPLE_RATE, output="sos"), wav)
        noise = rng.standard_normal(len(music)) * np.sqrt(np.mean(music**2) / 10 ** (below_db / 10))
        return (music + noise).astype(np.float32)

    key = librosa.effects.pitch_shift(wav, sr=SAMPLE_RATE, n_steps=semitones[0])
    tempo = librosa.effects.time_stretch(wav, rate=speeds[0])
    both = librosa.effects.time_stretch(wav, rate=speeds[1])
    both = librosa.effects.pitch_shift(both, sr=SAMPLE_RATE, n_steps=semitones[1])
    return [wav, key, tempo, narrow(wav, noise_db[0]), narrow(both, noise_db[1])]


def sketch(cqt: np.ndarray) -> np.ndarray:
    """Root magnitudes folded, patches of 16 columns, median, root: (192,)."""
    chroma = np.sqrt(cqt).reshape(-1, 12, cqt.shape[1]).sum(axis=0)
    chroma = chroma / np.maximum(np.linalg.norm(chroma, axis=0), 1e-9)
    patches = np.lib.stride_tricks.sliding_window_view(chroma, 16, axis=1)[:, ::2]
    return np.sqrt(np.median(np.abs(np.fft.fft2(patches, axes=(0, 2))), axis=1)).ravel()


def excerpts(music: Path, folders: list[str]) -> list:
    """What to read of each track: a path, or (store, track)."""
    if (music / "index.tsv").exists():
        store = AudioStore(music)
        return [(str(music), track) for track in range(len(store))]
    found = {}
    for source in list_folder(music).sources:
        if not folders or source.track.split("/")[0] in folders:
            found.setdefault(re.sub(r"-\d+-\d+\.\w+$", "", source.track), str(source.path))
    return list(found.values())


def columns(job: tuple) -> list[np.ndarray]:
    """CQT columns of the five versions."""
    what, seed = job
    wav = read_audio(what) if isinstance(what, str) else to_float32(AudioStore(what[0]).read(what[1]))
    first = max(len(wav) - EXCERPT_SAMPLES, 0) // 2
    return [by_peak(cqt_columns(each)) for each in versions(wav[first : first + EXCERPT_SAMPLES], seed)]


def main() -> None:
    """Print scores and seconds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("music", type=Path)
    parser.add_argument("--folders", nargs="*", default=[], help="of MUSIC; default: all")
    parser.add_argument("--tracks", type=int, default=100, help="at most, drawn")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    chosen = excerpts(args.music, args.folders)
    order = np.random.default_rng(0).permutation(len(chosen))[: args.tracks]
    jobs = [(chosen[track], seed) for seed, track in enumerate(order)]
    with ProcessPoolExecutor(args.jobs) as pool:
        cqts = [cqt for versions in pool.map(columns, jobs) for cqt in versions]
    works = np.repeat(np.arange(len(order)), VERSIONS)
    print(f"{len(order)} tracks, {len(works)} clips")
    sketches = np.stack([sketch(cqt) for cqt in cqts])
    report("sketch", unit_rows(sketches - sketches.mean(axis=0)), works)
    chromas = [tonal_chroma(cqt) for cqt in cqts]
    for name, network in READY.items():
        net, start = network().eval(), perf_counter()
        with torch.no_grad():
            found = [net(torch.from_numpy(cqt)[None, None])[0] for cqt in cqts]
        seconds = perf_counter() - start
        unit = unit_rows(torch.stack(found).numpy())
        report(f"{name}, {seconds / len(works) * 1e3:.1f} ms a clip", unit, works)
        report(f"{name}, {CANDIDATES} aligned", unit, works, chromas)


def report(name: str, unit: np.ndarray, works: np.ndarray, chromas: list | None = None) -> None:
    """One line; with chroma of the best candidates aligned, as `covers identify` does."""
    cosines = unit @ unit.T
    ranked, start, pairs = cosines.copy(), perf_counter(), 0
    for query in range(len(works)) if chromas else ():
        for other in np.delete(np.argsort(-cosines[query], kind="stable"), 0)[:CANDIDATES]:
            score = align(chromas[query], chromas[other]).score
            ranked[query, other] += 10 + ALIGNMENT_WEIGHT * score
            pairs += 1
    scores = score_queries(ranked, works)
    first, spent = np.mean(scores.first_rank == 1), (perf_counter() - start) / max(pairs, 1) * 1e3
    line = f"{name:24}  MAP {summary(scores)['map']:.3f}, a cover first {first:.3f}"
    print(line + (f", {spent:.1f} ms a pair" if pairs else ""), flush=True)


if __name__ == "__main__":
    main()
