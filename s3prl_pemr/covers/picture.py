"""Two tracks against each other: where they go along."""

from __future__ import annotations

from matplotlib.figure import Figure
from s3prl.downstream.cover_song.cqt.columns import SECONDS

from s3prl_pemr.report.printable import printable

from .ranking import Match


def alignment_figure(match: Match, first: str, second: str) -> Figure:
    """The places where two tracks have the same harmony, and the longest way through them.

    Args:
        match: with the path of its alignment.
        first, second: names for the axes: of the query, and of what it was aligned with.
    """
    found = match.alignment
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots()
    rows, columns = found.similarity.shape
    extent = (0, columns * SECONDS, 0, rows * SECONDS)
    axes.imshow(found.similarity, origin="lower", aspect="auto", extent=extent, cmap="Greys", vmax=1.6)
    down, along = (found.path.T + 0.5) * SECONDS
    axes.plot(along, down, color="tab:red", linewidth=2)
    axes.set_xlabel(f"seconds of {printable(second)}")
    axes.set_ylabel(f"seconds of {printable(first)}")
    axes.set_title(
        "Where do the two go along? dark: the same harmony in the best key; red: the longest way\n"
        f"score {match.score:.2f}, {len(found.path)} columns of {SECONDS:.2f} s; {match.where()}",
        fontsize=9, loc="left",
    )  # fmt: skip
    return figure
