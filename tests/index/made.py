"""Indexes of drawn vectors."""

import numpy as np

from s3prl_pemr.index import IndexWriter


def vectors(rows, width=8, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)


def write(folder, found, first=0, dtype="float32", about=None):
    """Rows named by number, each with as many notes as its number modulo 3."""
    writer = IndexWriter(folder, about or {"made_by": "x"}, uneven=("notes",), dtype=dtype)
    for number, vector in enumerate(found, start=first):
        notes = np.full((number % 3, 2), number, np.int16)
        writer.add(f"track {number}", vector, stamps=np.array([number, 7]), notes=notes)
    writer.commit()
    return writer


def brute(found, query):
    """Rows by cosine, float64, best first."""
    norms = np.linalg.norm(found.astype(np.float64), axis=1)
    cosines = found.astype(np.float64) @ query / np.linalg.norm(query)
    return np.argsort(-np.where(norms > 0, cosines / np.maximum(norms, 1e-12), -np.inf), kind="stable")


def files(folder):
    """Content and time of every file below a folder."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.npy")}
