"""Logistic regressions on the pretrainings of a comparison, where heads of s3prl's loop would take hours.

    python recipes/game_music/probe.py OUT STORE pemr random_mask no_mask random

OUT is the folder of `s3prl-pemr compare`, with or without heads; then come pretrainings of its plan. Of every
clip the first SECONDS are heard; a clip is the mean of its frames, each dimension standardised over the
training clips; C is the same for all. Vectors are kept in OUT/probe, by run and checkpoint. Scores are means
over the seeds that all named pretrainings have; intervals, and those of the paired differences to the first
one named, are over songs.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np

import s3prl_pemr  # noqa: F401 - first: it registers s3prl.upstream.adapter

# isort: split
from s3prl.downstream.music_tagging.labels.task import TASKS
from s3prl.downstream.music_tagging.scoring.clip_groups import song_numbers
from s3prl.pretrain.training import checkpoint_files
from s3prl.upstream.adapter.checkpoint import read_checkpoint
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from s3prl_pemr.audio import SAMPLE_RATE, to_float32
from s3prl_pemr.comparison.outcome.scores import RESAMPLES, SEED, TITLES, Score, mean_score
from s3prl_pemr.embedding.embedder import Embedder, Wanted
from s3prl_pemr.report.bootstrap import drawn_counts, left_out_counts
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.groups import read_groups

SECONDS, HEARD_TOGETHER, C = 10, 8, 0.003
SPLITS = ("valid", "test")


def vectors(run: Path, store: AudioStore, folder: Path) -> np.ndarray:
    """Clip vectors of a pretraining's last checkpoint, (clips of the store, D); kept in the folder."""
    checkpoint = checkpoint_files.latest(run)
    kept = folder / f"{run.parent.name}-{checkpoint.stem}.npy"
    if not kept.is_file():
        method = read_checkpoint(checkpoint)["Method"]
        embedder = Embedder(Wanted(f"{method}_local", str(checkpoint), pool="mean"))
        found = []
        for first in range(0, len(store), HEARD_TOGETHER):
            places = range(first, min(first + HEARD_TOGETHER, len(store)))
            wavs = [to_float32(store.read(place, 0, SECONDS * SAMPLE_RATE)) for place in places]
            found += [one.clip for one in embedder.embed(wavs)]
        kept.parent.mkdir(exist_ok=True)
        np.save(kept, np.stack(found))
    return np.load(kept)


def probabilities(clips: np.ndarray, targets: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Of each tag by a regression of its own, trained on the clips `train`: (clips, tags)."""
    scaled = StandardScaler().fit(clips[train]).transform(clips)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = [
            LogisticRegression(C=C, max_iter=500).fit(scaled[train], of_tag) for of_tag in targets[train].T
        ]
    return np.stack([model.predict_proba(scaled)[:, 1] for model in fitted], axis=1)


def main() -> None:
    """Print a table for each split."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", metavar="OUT", type=Path)
    parser.add_argument("store", metavar="STORE", type=Path)
    parser.add_argument(
        "names", metavar="PRETRAINING", nargs="+", help="the others are compared with the first"
    )
    args = parser.parse_args()
    store, task = AudioStore(args.store), TASKS["tags"]
    tags = sorted({label for labels in store.labels for label in labels})
    targets = task.targets(store, range(len(store)), tags)
    runs = {path.name: path / "run" for path in sorted((args.folder / "pretraining").iterdir())}
    seeds_of = [
        {run.rpartition("-seed")[2] for run in runs if run.rpartition("-seed")[0] == name}
        for name in args.names
    ]
    seeds = sorted(set.intersection(*seeds_of))
    print(f"seeds: {', '.join(seeds)}")
    predicted = {
        name: [
            probabilities(
                vectors(runs[key], store, args.folder / "probe"),
                targets,
                store.select("train"),
            )
            for key in (f"{name}-seed{seed}" for seed in seeds)
        ]
        for name in args.names
    }
    for split in SPLITS:
        chosen = store.select(split)
        songs = song_numbers([store.tracks[place] for place in chosen], read_groups(store.path))
        counts = drawn_counts(songs, RESAMPLES, SEED), left_out_counts(songs)
        scores = {
            name: [_scores(task, targets[chosen], p[chosen], tags, songs, counts) for p in of]
            for name, of in predicted.items()
        }
        _show(split, scores)


def _scores(task, targets, predicted, tags, songs, counts) -> dict[str, Score]:
    values = task.metrics(targets, predicted, tags)
    drawn, left_out = (task.resampled(targets, predicted, of, tags) for of in counts)
    return {name: Score(values[name], drawn[name], left_out[name], int(songs.max()) + 1) for name in drawn}


def _show(split: str, scores: dict[str, list[dict[str, Score]]]) -> None:
    means = {
        name: {key: mean_score([one[key] for one in of]) for key in of[0]} for name, of in scores.items()
    }
    first = next(iter(means.values()))
    heads = [text for key in first for text in (TITLES[key], "over seeds", "difference")]
    print(
        "".join(f"| {' | '.join(line)} |\n" for line in ([split, *heads], ["---"] * (len(heads) + 1))), end=""
    )
    for name, of in means.items():
        cells = [name]
        for key, score in of.items():
            values = [one[key].value for one in scores[name]]
            deviation = f"{np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
            difference, (low, high) = score.less(first[key])
            less = "" if of is first else f"{difference:+.3f} [{low:+.3f}, {high:+.3f}]"
            cells += [
                "{:.3f} [{:.3f}, {:.3f}]".format(score.value, *score.interval),
                deviation,
                less,
            ]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
