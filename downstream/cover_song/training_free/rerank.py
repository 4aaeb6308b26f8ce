"""The best candidates of a query, put in order by alignment. T: columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .alignment import align

ALIGNMENT_WEIGHT = 0.3  # of an alignment's score beside a cosine; chosen on free game music (recipes/covers)
ABOVE_COSINES = 2.0  # what is not aligned comes after all that is


def reranked(
    cosines: np.ndarray, query: np.ndarray, chromas: Sequence[np.ndarray], candidates: int
) -> np.ndarray:
    """Similarities that put what was aligned above all that was not.

    Args:
        cosines: of the query with each track, (tracks,); -inf: is no candidate.
        query: chroma, (12, T).
        chromas: those of the tracks, (12, any) each.
        candidates: how many are aligned, those of the highest cosines.

    Returns: (tracks,); of a candidate 2, its cosine and its weighted alignment together.
    """
    changed = np.array(cosines, np.float64)
    for track in np.argsort(-cosines, kind="stable")[:candidates]:
        if np.isfinite(cosines[track]):
            changed[track] += ABOVE_COSINES + ALIGNMENT_WEIGHT * align(query, chromas[track]).score
    return changed


def by_alignment(chromas: Sequence[np.ndarray], candidates: int) -> Callable | None:
    """`reranked` as ranking/cosine.py calls it, for tracks ranked among themselves; or None."""
    if not candidates or not len(chromas):
        return None
    return lambda query, cosines: reranked(cosines, chromas[query], chromas, candidates)
