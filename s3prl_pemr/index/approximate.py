"""Approximate search with faiss: the thousand rows that seem nearest, for their exact cosines. E: width.

The folder `search` of an index holds what faiss made and search.json: which segments it knows, and how it is
asked. Segments that came later are searched exactly. All vectors have length 1 here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.whole_file import whole_file

from .exact import unit
from .segment import VECTORS, Segment

FOLDER, FAISS_FILE, STATE_FILE = "search", "faiss.index", "search.json"
IVFPQ_FROM = 50_000  # rows; fewer are searched exactly in some 20 ms
CANDIDATES = 1_000  # that are looked at exactly
BLOCK_ROWS = 1 << 15
TRAINED_ON = 50  # vectors for each list of an IVF
CODE_VALUES = 2  # of a vector that four bits stand for in an IVF: as good as 8 bits for 5, ten times as quick
LINKS = 32  # of a row in an HNSW
INSTALL = "an approximate search needs faiss: pip install 's3prl-pemr[index]'"


@dataclass(frozen=True)
class Settings:
    """search.json.

    Attributes:
        kind: hnsw or ivfpq.
        effort: how many lists are looked at, or how many neighbours are kept on the way (efSearch).
        segments: names, in the order of faiss's numbers; and their stored rows.
        recall: of the best 10 and 100 against exact search, when it was built.
    """

    kind: str
    effort: int
    segments: dict[str, int]
    recall: dict[str, float]


class Approximation:
    """What faiss knows of some segments.

    Args:
        index: of faiss; its numbers are the segments' stored rows, one segment after the other.
        segments: in that order.
    """

    def __init__(self, index: Any, settings: Settings, segments: Sequence[Segment]):
        self.index, self.settings, self.segments = index, settings, list(segments)
        self._first = np.cumsum([0, *(segment.stored for segment in segments)])

    def candidates(self, queries: np.ndarray, count: int) -> Iterator[list[tuple[Segment, np.ndarray]]]:
        """For each query the rows that seem nearest, by segment, without deleted and empty ones.

        Args:
            queries: of length 1, float32, (Q, E).
            count: how many are wanted in the end.
        """
        wanted = min(max(CANDIDATES, 4 * count), self.index.ntotal)
        _, numbers = self.index.search(queries, wanted, params=parameters(self.settings))
        for own in numbers:
            own = np.sort(own[own >= 0])
            ends = np.searchsorted(own, self._first)
            found = []
            for place, segment in enumerate(self.segments):
                stored = own[ends[place] : ends[place + 1]] - self._first[place]
                stored = stored[segment.norms[stored] > 0]
                if len(stored):
                    found.append((segment, stored))
            yield found

    def write(self, folder: Path) -> None:
        """Into the index's folder, search.json last. Raises OSError."""
        faiss = need_faiss()
        place = folder / FOLDER
        place.mkdir(exist_ok=True)
        with whole_file(place / FAISS_FILE, sync=True) as file:
            faiss.write_index(self.index, faiss.PyCallbackIOWriter(file.write))
        with whole_file(place / STATE_FILE, sync=True) as file:
            file.write((json.dumps(asdict(self.settings), indent=1) + "\n").encode())


def open_approximation(folder: Path, segments: Sequence[Segment]) -> Approximation | None:
    """What was built for an index; None where nothing was, or it knows segments that are gone.

    Raises: ValueError (one line) where it is damaged, or faiss is not installed.
    """
    path = folder / FOLDER / STATE_FILE
    try:
        settings = Settings(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: damaged; build the search again") from error
    own = {segment.name: segment for segment in segments}
    if any(name not in own or own[name].stored != rows for name, rows in settings.segments.items()):
        return None
    faiss = need_faiss()
    try:
        index = faiss.read_index(str(folder / FOLDER / FAISS_FILE))
    except RuntimeError as error:
        raise ValueError(f"{folder / FOLDER / FAISS_FILE}: damaged; build the search again") from error
    if index.ntotal != sum(settings.segments.values()):
        raise ValueError(f"{folder / FOLDER / FAISS_FILE}: of another index; build the search again")
    return Approximation(index, settings, [own[name] for name in settings.segments])


def kind_for(rows: int) -> str:
    """What suits so many rows: exact or ivfpq (a quarter byte a value, and seconds to build).

    HNSW, which can be asked for, took 33 times as long to build at 60,000 rows, and four times for a query.
    """
    return "exact" if rows < IVFPQ_FROM else "ivfpq"


def build(segments: Sequence[Segment], kind: str, rng: np.random.Generator) -> Approximation:
    """Train faiss on some vectors and add all, by blocks.

    Args:
        kind: hnsw or ivfpq.
        rng: draws what is trained on.

    Raises: ValueError (one line) without faiss.
    """
    faiss = need_faiss()
    stored, width = sum(segment.stored for segment in segments), segments[0].arrays[VECTORS].shape[1]
    lists = min(1 << int(np.log2(stored) / 2), max(stored // TRAINED_ON, 1))
    codes = -(-width // CODE_VALUES)
    recipe = (
        f"Pad{codes * CODE_VALUES},IVF{lists},PQ{codes}x4fs" if kind == "ivfpq" else f"HNSW{LINKS},SQfp16"
    )
    metric = faiss.METRIC_INNER_PRODUCT if kind == "ivfpq" else faiss.METRIC_L2  # one order: lengths are 1
    index = faiss.index_factory(width, recipe, metric)
    index.train(_drawn(segments, min(max(lists, 256) * TRAINED_ON, stored), rng))
    with Progress(total=stored, desc=kind, unit="row") as bar:
        for segment in segments:
            for start in range(0, segment.stored, BLOCK_ROWS):
                block = unit(segment.arrays[VECTORS][start : start + BLOCK_ROWS], np.float32)
                index.add(block)
                bar.update(len(block))
    effort = max(lists // 64, 1) if kind == "ivfpq" else CANDIDATES
    settings = Settings(kind, effort, {segment.name: segment.stored for segment in segments}, {})
    return Approximation(index, settings, segments)


def _drawn(segments: Sequence[Segment], count: int, rng: np.random.Generator) -> np.ndarray:
    """Vectors to train on, (count, E), of all segments alike."""
    first = np.cumsum([0, *(segment.stored for segment in segments)])
    rows = np.sort(rng.choice(first[-1], count, replace=False))
    ends = np.searchsorted(rows, first)
    drawn = [
        segment.arrays[VECTORS][rows[ends[place] : ends[place + 1]] - first[place]]
        for place, segment in enumerate(segments)
    ]
    return unit(np.concatenate(drawn), np.float32)


def parameters(settings: Settings) -> Any:
    """What faiss is asked with."""
    faiss = need_faiss()
    if settings.kind == "hnsw":
        return faiss.SearchParametersHNSW(efSearch=settings.effort)
    return faiss.SearchParametersPreTransform(index_params=faiss.SearchParametersIVF(nprobe=settings.effort))


def need_faiss() -> Any:
    """The library. Raises ValueError (one line) where it is not installed."""
    try:
        import faiss
    except ImportError as error:
        raise ValueError(INSTALL) from error
    return faiss
