"""Clips of a tagged store in a plane: PCA, then t-SNE, of their vectors. B: clips, D: dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s3prl_pemr.audio import SAMPLE_RATE, to_float32
from s3prl_pemr.embedding.embedder import Embedder
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.store import AudioStore

PCA_DIMENSIONS = 50  # that t-SNE sees (van der Maaten and Hinton 2008: 30)
MOST_PERPLEXITY = 30


@dataclass(frozen=True)
class ClipMap:
    """Where each clip lies.

    Attributes:
        tracks: names, B.
        labels: of each, B.
        places: float32, (B, 2), each axis from 0 to 1.
        explained: share of the vectors' variance that the plane of PCA alone would show.
    """

    tracks: list[str]
    labels: list[list[str]]
    places: np.ndarray
    explained: float


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
    scaled = (vectors - vectors.mean(axis=0)) / np.maximum(vectors.std(axis=0), 1e-6)
    pca = PCA(min(PCA_DIMENSIONS, count - 1, vectors.shape[1]), random_state=seed)
    reduced = pca.fit_transform(scaled)
    perplexity = min(MOST_PERPLEXITY, (count - 1) / 3)
    places = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced)
    low, high = places.min(axis=0), places.max(axis=0)
    explained = float(pca.explained_variance_ratio_[:2].sum())
    return ((places - low) / np.maximum(high - low, 1e-9)).astype(np.float32), explained


def excerpt(store: AudioStore, row: int, seconds: float) -> np.ndarray:
    """The middle of a clip, float32."""
    length = int(store.length_samples[row])
    wanted = min(round(seconds * SAMPLE_RATE), length)
    return to_float32(store.read(row, (length - wanted) // 2, wanted))
