"""A picture of a retrieval: all similarities of a small set, the ranks of the first covers of a large one."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .cosine import unit_rows
from .query_scores import QueryScores

MATRIX_TRACKS = 200


def retrieval_figure(scores: QueryScores, embeddings: np.ndarray, title: str) -> Figure:
    """Cosines of at most MATRIX_TRACKS tracks, in order of works; of more, a histogram of the first ranks."""
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots()
    if scores.tracks <= MATRIX_TRACKS:
        _matrix(figure, axes, scores.work_numbers, unit_rows(embeddings))
    else:
        edges = np.geomspace(1, scores.tracks, 30)
        axes.hist(scores.first_rank, bins=np.unique(np.rint(edges)).tolist())
        axes.set(xscale="log", xlabel="rank of the first cover", ylabel="queries")
    axes.set_title(title, fontsize=10, loc="left")
    return figure


def _matrix(figure: Figure, axes: Axes, work_numbers: np.ndarray, unit: np.ndarray) -> None:
    order = np.argsort(work_numbers, kind="stable")
    similarity = (unit @ unit.T)[np.ix_(order, order)]
    others = similarity[~np.eye(len(order), dtype=bool)]
    np.fill_diagonal(similarity, np.nan)  # of a track with itself: it would take the colours of the rest
    shown = axes.imshow(similarity, cmap="viridis", vmin=others.min(), vmax=others.max())
    figure.colorbar(shown, ax=axes, label="cosine", shrink=0.8)
    ends = np.flatnonzero(np.diff(work_numbers[order], append=-1))
    for first, last in zip(np.r_[0, ends[:-1] + 1], ends, strict=True):
        if last > first:
            side = last - first + 1
            corner = (first - 0.5, first - 0.5)
            axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor="tab:red", linewidth=0.8))
    axes.set(xlabel="track, in order of works", ylabel="query; squares: covers of one work")
