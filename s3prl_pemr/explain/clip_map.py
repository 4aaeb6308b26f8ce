"""Clips of a tagged store in a plane: PCA, then t-SNE, of their vectors. B: clips, D: dimensions."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s3prl_pemr.audio import SAMPLE_RATE, to_float32
from s3prl_pemr.embedding.embedder import Embedder
from s3prl_pemr.report.data_urls import sound_url
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.whole_file import write_whole
from s3prl_pemr.store import AudioStore

PCA_DIMENSIONS = 50  # that t-SNE sees (van der Maaten and Hinton 2008: 30)
MOST_PERPLEXITY = 30
SOUND_SECONDS = 5.0


@dataclass(frozen=True)
class ClipMap:
    """Where each clip lies.

    Attributes:
        tracks: names, B.
        labels: of each, B.
        places: float32, (B, 2), each axis from 0 to 1.
        explained: share of the vectors' variance that the plane of PCA alone would show.
        alike, chance: how much of their tags clips share with a neighbour, and with any other (shared_tags).
    """

    tracks: list[str]
    labels: list[list[str]]
    places: np.ndarray
    explained: float
    alike: float
    chance: float

    def told(self) -> str:
        """What the picture is to be read with."""
        near = "of their tags clips share with the nearest of another song"
        neighbours = f"{self.alike:.0%} {near}, {self.chance:.0%} with any; " if self.chance else ""
        return f"{neighbours}the best plane shows {self.explained:.0%} of the variance."


def clip_vectors(store: AudioStore, rows: np.ndarray, embedder: Embedder) -> np.ndarray:
    """Each clip's vector, (B, D)."""
    wavs = (to_float32(store.read(int(row))) for row in Progress(rows, "vectors", unit="clip"))
    return np.stack([embedder.embed([wav])[0].clip for wav in wavs])


def lay_out(vectors: np.ndarray, seed: int = 0) -> tuple[np.ndarray, float]:
    """Places of standardised vectors (B, D), and what a plane explains; see ClipMap.

    Raises:
        ValueError: one line: fewer than five clips.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    count = len(vectors)
    if count < 5:
        raise ValueError(f"{count} clips: a map needs at least 5")
    scaled = _standardised(vectors)
    pca = PCA(min(PCA_DIMENSIONS, count - 1, vectors.shape[1]), random_state=seed)
    reduced = pca.fit_transform(scaled)
    perplexity = min(MOST_PERPLEXITY, (count - 1) / 3)
    places = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced)
    low, high = places.min(axis=0), places.max(axis=0)
    explained = float(pca.explained_variance_ratio_[:2].sum())
    return ((places - low) / np.maximum(high - low, 1e-9)).astype(np.float32), explained


def shared_tags(vectors: np.ndarray, labels: list[list[str]], songs: np.ndarray) -> tuple[float, float]:
    """How much of their tags clips share with their nearest clip of another song, and with any such clip.

    Shared of two clips are the tags that both have over those that one of them has (Jaccard); the nearest is
    that of standardised vectors (B, D) by Euclidean distance, as t-SNE has it. (0, 0) where no two tagged
    clips are of different songs.

    Args:
        songs: the song of each clip as a number, (B,).
    """
    from sklearn.metrics import pairwise_distances

    tagged = np.flatnonzero([len(own) > 0 for own in labels])
    names = {name: column for column, name in enumerate(sorted({tag for own in labels for tag in own}))}
    has = np.zeros((len(tagged), len(names)))
    for row, clip in enumerate(tagged):
        has[row, [names[tag] for tag in labels[clip]]] = 1
    others = songs[tagged][:, None] != songs[tagged]
    rows = np.flatnonzero(others.any(axis=1))
    if len(rows) == 0:
        return 0.0, 0.0
    both = has @ has.T
    shared = both / (has.sum(axis=1)[:, None] + has.sum(axis=1) - both)
    distances = np.where(others, pairwise_distances(_standardised(vectors[tagged])), np.inf)
    return float(shared[rows, distances[rows].argmin(axis=1)].mean()), float(shared[others].mean())


def write_map(path: Path, rows: np.ndarray, found: ClipMap) -> None:
    """As .npz: `rows` of the store (B,), `places` (B, 2), and the three shares. Raises OSError."""
    shares = {"explained": found.explained, "alike": found.alike, "chance": found.chance}
    file = io.BytesIO()
    np.savez(file, rows=rows, places=found.places, **shares)
    write_whole(path, file.getvalue())


def read_map(path: Path, store: AudioStore) -> tuple[np.ndarray, ClipMap]:
    """What write_map wrote of this store: rows and the map. Raises OSError."""
    with np.load(path) as file:
        rows, places = file["rows"], file["places"]
        shares = [float(file[name]) for name in ("explained", "alike", "chance")]
    return rows, ClipMap(*named(store, rows), places, *shares)


def named(store: AudioStore, rows: np.ndarray) -> tuple[list[str], list[list[str]]]:
    """Names and labels of clips."""
    return [store.tracks[row] for row in rows], [store.labels[row] for row in rows]


def sounds_of(store: AudioStore, rows: np.ndarray, most: int, seed: int = 0) -> list[str | None]:
    """URLs of SOUND_SECONDS of each clip, of `most` of them at most, drawn; None of the others."""
    heard = set(np.random.default_rng(seed).permutation(len(rows))[:most].tolist())
    return [
        sound_url(excerpt(store, int(row), SOUND_SECONDS), store.sample_rate) if place in heard else None
        for place, row in enumerate(rows)
    ]


def _standardised(vectors: np.ndarray) -> np.ndarray:
    return (vectors - vectors.mean(axis=0)) / np.maximum(vectors.std(axis=0), 1e-6)


def excerpt(store: AudioStore, row: int, seconds: float) -> np.ndarray:
    """The middle of a clip, float32."""
    length = int(store.length_samples[row])
    wanted = min(round(seconds * SAMPLE_RATE), length)
    return to_float32(store.read(row, (length - wanted) // 2, wanted))
